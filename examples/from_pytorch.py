"""A PyTorch training script with its imports and its data loading changed, and nothing else.

python examples/from_pytorch.py [--epochs N] [--limit IMAGES]
"""

import argparse

import nnet as nn
from nnet import optim
from nnet.data import DataLoader, mnist


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(32 * 5 * 5, 128),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(128, 10),
        )

    def forward(self, x):
        x = self.features(x)
        x = nn.flatten(x, 1)
        return self.classifier(x)


def train(model, device, loader, criterion, optimizer, epoch):
    model.train()
    for batch_idx, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()
        if batch_idx % 100 == 0:
            print(f"Train epoch: {epoch} [{batch_idx}/{len(loader)}]\tLoss: {loss.item():.6f}")


def test(model, device, loader, criterion):
    model.eval()
    test_loss = 0
    correct = 0
    with nn.no_grad():
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += criterion(output, target).item() * len(data)
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    total = len(loader.dataset)
    test_loss /= total
    print(
        f"Test set: Average loss: {test_loss:.4f}, "
        f"Accuracy: {correct}/{total} ({100.0 * correct / total:.2f}%)"
    )


def main():
    parser = argparse.ArgumentParser(description="MNIST example")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--gamma", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, help="train and test on so many images only")
    args = parser.parse_args()

    nn.manual_seed(args.seed)
    device = nn.device("cpu")

    train_set, test_set = mnist()
    if args.limit:
        train_set = train_set.subset(range(min(args.limit, len(train_set))))
        test_set = test_set.subset(range(min(args.limit, len(test_set))))
    normalize = {"mean": (0.1307,), "std": (0.3081,)}
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True, **normalize)
    test_loader = DataLoader(test_set, batch_size=1000, **normalize)

    model = Net().to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=args.gamma)
    for epoch in range(1, args.epochs + 1):
        train(model, device, train_loader, criterion, optimizer, epoch)
        test(model, device, test_loader, criterion)
        scheduler.step()


if __name__ == "__main__":
    main()
