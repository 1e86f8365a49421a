"""One more activation, loss, layer, data set and job, each added to a copy of the package.

Outside of its own files each takes the lines that CONTRIBUTING.md tells of, and no others.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import nnet

HOUSE = Path(nnet.__file__).parent
ROOT = Path(__file__).parents[2]


class Copy:
    """The package in a folder of its own, to be changed and then used."""

    def __init__(self, folder):
        self.folder = folder
        unneeded = shutil.ignore_patterns("__pycache__", "files")
        shutil.copytree(HOUSE, folder / "nnet", ignore=unneeded)
        self.places = []

    def own_file(self, path, text):
        path = self.folder / "nnet" / path
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))

    def line(self, path, text, before="\n_publish(globals())"):
        """A line in a file that is there already, or a block of lines."""
        self.places.append(f"nnet/{path}")
        file = self.folder / "nnet" / path
        head, found, tail = file.read_text().partition(before)
        assert found, path
        file.write_text(f"{head}{dedent(text)}{found}{tail}")

    def run(self, *command):
        paths = [str(self.folder), str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def use(self, *texts):
        script = "\n".join(["import nnet as nn", "import numpy as np", *map(dedent, texts)])
        self.run("-W", "error", "-c", script)


@pytest.fixture
def copy(tmp_path):
    made = Copy(tmp_path)
    yield made
    told = (ROOT / "CONTRIBUTING.md").read_text()
    assert made.places and all(f"`{place}`" in told for place in made.places)


SAVED = """
    nn.training.save_weights("model.safetensors", model)
    twin = make()
    twin.load_state_dict(nn.training.load_weights("model.safetensors")[0])
    assert (twin(x).data == model(x).data).all()
"""


def test_an_activation_takes_two_places(copy):
    copy.own_file(
        "functional/activation/softsign.py",
        '''
        """x / (1 + |x|)."""

        from ...autograd.tensor import Tensor

        __all__ = ["softsign"]


        def softsign(input: Tensor) -> Tensor:
            return input / (1 + input.abs())
        ''',
    )
    copy.line("functional/activation/__init__.py", "from .softsign import *\n")
    copy.own_file(
        "layers/activation/softsign.py",
        '''
        """x / (1 + |x|) as a layer."""

        from ... import functional
        from ...autograd.tensor import Tensor
        from ...module.module import Module

        __all__ = ["Softsign"]


        class Softsign(Module):
            def forward(self, input: Tensor) -> Tensor:
                return functional.softsign(input)
        ''',
    )
    copy.line("layers/activation/__init__.py", "from .softsign import *\n")
    assert len(copy.places) == 2
    copy.use(
        """
        import nnet.functional as F
        assert F.softsign(nn.tensor([1.0, -3.0])).tolist() == [0.5, -0.75]
        assert "Softsign" in nn.__all__ and "softsign" in F.__all__

        def make():
            return nn.Sequential(nn.Linear(3, 4), nn.Softsign(), nn.Linear(4, 2))

        model, x = make(), nn.randn(5, 3)
        inside = model[0](x).data
        expected = model[2](nn.Tensor(inside / (1 + np.abs(inside)))).data
        assert np.abs(model(x).data - expected).max() < 1e-6
        model(x).sum().backward()
        assert model[0].weight.grad.data.any()
        rows = nn.summary(model, (5, 3)).rows
        assert [(row.kind, row.macs) for row in rows] == [
            ("Linear", 60), ("Softsign", 0), ("Linear", 40)
        ]
        """,
        SAVED,
    )


def test_a_loss_takes_two_places(copy):
    copy.own_file(
        "functional/loss/log_cosh.py",
        '''
        """log cosh of differences."""

        from ...autograd.tensor import Tensor
        from .options import check_reduction

        __all__ = ["log_cosh_loss"]


        def log_cosh_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
            check_reduction("log_cosh_loss", reduction, None, None)
            apart = input - target
            loss = ((apart.exp() + (-apart).exp()) * 0.5).log()
            return {"mean": loss.mean, "sum": loss.sum, "none": lambda: loss}[reduction]()
        ''',
    )
    copy.line("functional/loss/__init__.py", "from .log_cosh import *\n")
    copy.own_file(
        "layers/loss/log_cosh.py",
        '''
        """log cosh of differences as a layer."""

        from ... import functional
        from ...autograd.tensor import Tensor
        from .classes import Loss

        __all__ = ["LogCoshLoss"]


        class LogCoshLoss(Loss):
            def forward(self, input: Tensor, target: Tensor) -> Tensor:
                return functional.log_cosh_loss(input, target, self.reduction)
        ''',
    )
    copy.line("layers/loss/__init__.py", "from .log_cosh import *\n")
    assert len(copy.places) == 2
    copy.use(
        """
        import nnet.functional as F
        x = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
        data = nn.data.DataLoader(nn.data.ArrayDataset(x, x[:, :1]), 16)
        for loss in (nn.LogCoshLoss(), F.log_cosh_loss):
            model = nn.Linear(3, 1)
            optimizer = nn.optim.SGD(model.parameters(), lr=0.3)
            history = nn.fit(
                model, data, epochs=9, optimizer=optimizer, loss=loss, progress=False
            )
            assert history.epochs[-1].train_loss < 0.5 * history.epochs[0].train_loss
            assert nn.evaluate(model, data, loss).loss < history.epochs[0].train_loss
        """
    )


def test_a_layer_with_a_weight_takes_two_places(copy):
    copy.own_file(
        "functional/mixed.py",
        '''
        """x W + b."""

        from ..autograd.tensor import Tensor

        __all__ = ["mixed"]


        def mixed(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
            product = input @ weight
            return product if bias is None else product + bias
        ''',
    )
    copy.line("functional/__init__.py", "from .mixed import *\n")
    copy.own_file(
        "layers/mixed.py",
        '''
        """x W + b as a layer."""

        import numpy as np

        from .. import functional, init
        from ..autograd.parameter import Parameter
        from ..autograd.tensor import Tensor
        from .weighted import Weighted

        __all__ = ["Mixed"]


        class Mixed(Weighted):
            units_axis = 1

            def __init__(self, inputs: int, outputs: int) -> None:
                super().__init__()
                self.weight = Parameter(np.empty((inputs, outputs), np.float32))
                self.bias = Parameter(np.ones(outputs, np.float32))
                init.normal_(self.weight)

            def forward(self, input: Tensor) -> Tensor:
                return functional.mixed(input, self.weight, self.bias)

            linear_forward = forward

            @property
            def outputs(self) -> int:
                return self.weight.shape[1]
        ''',
    )
    copy.line("layers/__init__.py", "from .mixed import *\n")
    assert len(copy.places) == 2
    copy.use(
        """
        def make():
            return nn.Sequential(nn.Mixed(3, 4), nn.BatchNorm1d(4), nn.ReLU())

        model, x = make(), nn.randn(50, 3)
        model(x)
        model.eval()
        assert nn.summary(model, (5, 3)).macs == 60
        folded = nn.fold_batch_norm(model)
        assert len(folded) == 2 and np.abs(folded(x).data - model(x).data).max() < 1e-5
        wrapped = nn.DropConnect(nn.Mixed(3, 4), 0.5, nn.ReLU())
        assert nn.monte_carlo(wrapped, x, 9)[1].data.max() > 0
        assert wrapped.eval()(x).shape == (50, 4)
        assert nn.spectral_norm(nn.Mixed(3, 4)).weight_u.shape == (4,)
        """,
        SAVED.replace("make()", "make().eval()"),
    )


def test_a_data_set_takes_one_place(copy):
    copy.own_file(
        "data/images/stripes.py",
        '''
        """Images of stripes."""

        import numpy as np

        from .dataset import ImageDataset

        __all__ = ["stripes"]


        def stripes() -> ImageDataset:
            labels = np.arange(40) % 2
            images = np.zeros((40, 1, 8, 8), np.uint8)
            images[labels == 0, :, ::2] = 255
            images[labels == 1, :, :, ::2] = 255
            return ImageDataset(images, labels, ("across", "down"))
        ''',
    )
    copy.line("data/images/__init__.py", "from .stripes import *\n")
    assert len(copy.places) == 1
    copy.use(
        """
        from nnet.data import stripes
        assert nn.data.stripes is stripes and "stripes" in nn.data.__all__
        samples = stripes()
        mean, std = nn.data.channel_statistics(samples)
        batches = nn.data.DataLoader(samples, 8, shuffle=True, mean=mean, std=std)
        model = nn.models.mlp(64, [8], 2, dropout=0.0)
        optimizer = nn.optim.Adam(model.parameters(), lr=0.03)
        nn.fit(model, batches, epochs=9, optimizer=optimizer, progress=False)
        assert nn.evaluate(model, batches).accuracy == 1.0
        """
    )


def test_a_job_takes_one_place(copy):
    copy.own_file("jobs/sum_sign/__init__.py", '"""The sign of sums."""\n')
    copy.own_file(
        "jobs/sum_sign/description.py",
        '''
        """What a classifier of sums is."""

        from dataclasses import dataclass
        from typing import ClassVar

        from ... import models
        from ...module.module import Module
        from ...runs.description import Description
        from ...training.schema import arguments_of


        @dataclass(frozen=True)
        class SumDescription(Description):
            """Says whether numbers have a sum above 0."""

            KIND: ClassVar = "sum-sign"

            arguments: dict

            def build(self) -> Module:
                return models.mlp(**self.arguments)

            def check(self) -> None:
                arguments_of(models.mlp, self.arguments)
        ''',
    )
    copy.own_file(
        "jobs/sum_sign/job.py",
        '''
        """The sign of sums."""

        from dataclasses import dataclass

        import numpy as np

        from ... import data, optim
        from ...training import Evaluation, fit
        from ...training import evaluate as evaluate_model
        from .. import job
        from ..options import COUNT, option, seed, threads
        from .description import SumDescription

        ABOUT = "a classifier of sums"
        DESCRIPTION = SumDescription


        @dataclass(frozen=True)
        class Settings:
            count: int = option(COUNT, "numbers to add", 3)
            epochs: int = option(COUNT, "passes", 20)
            seed: int = seed()
            threads: int | None = threads()


        class Sums(data.ArrayDataset):
            def fingerprint(self):
                return str(float(self.arrays[0].sum()))


        def sums_of(count, seed):
            x = np.random.default_rng(seed).normal(size=(256, count)).astype(np.float32)
            return Sums(x, (x.sum(1) > 0).astype(np.int64))


        def prepare(settings, folder=None, overwrite=False):
            folder = job.begin(settings, "sums", folder, overwrite)
            parts = {name: sums_of(settings.count, i) for i, name in enumerate(("train", "test"))}
            arguments = {"inputs": settings.count, "hidden": [8], "classes": 2, "dropout": 0.0}
            description = SumDescription(arguments)
            return job.Prepared(settings, folder, parts, description, description.build())


        def train(prepared, progress=True):
            optimizer = optim.Adam(prepared.model.parameters(), lr=0.01)
            batches = data.DataLoader(prepared.parts["train"], 32)
            epochs = prepared.settings.epochs
            return fit(
                prepared.model, batches, epochs=epochs, optimizer=optimizer, progress=progress
            )


        def test(prepared):
            return evaluate_model(prepared.model, data.DataLoader(prepared.parts["test"], 64))


        def tell(found):
            return f"accuracy {found.accuracy:.2f}"


        def evaluate(run, name=None) -> Evaluation:
            sums = sums_of(run.description.arguments["inputs"], 2)
            return evaluate_model(run.model, data.DataLoader(sums, 64))


        def predict(run, inputs, picture=None):
            yield from (f"{each}: asked" for each in inputs)
        ''',
    )
    copy.line("jobs/by_kind.py", "from .sum_sign import job as sum_sign\n", before="\n_ALL")
    copy.line("jobs/by_kind.py", "    sum_sign,\n", before=")\n\nJOBS")
    assert len(set(copy.places)) == 1
    trained = copy.run("-m", "nnet", "train", "sum-sign", "--count", "4", "--out", "run")
    assert "accuracy 0.9" in trained
    assert "accuracy 0.9" in copy.run("-m", "nnet", "evaluate", "run")
    assert copy.run("-m", "nnet", "predict", "run", "this") == "this: asked\n"
    assert "sum-sign" in copy.run("-m", "nnet", "train", "--help")
    copy.use("assert nn.training.load_run('run').description.KIND == 'sum-sign'")
