# Every target sets up what it needs in .venv; `make clean` removes that too.

PYTHON ?= python3
VENV ?= .venv
EXTRAS ?=
BIN := $(VENV)/bin

# A stamp is named after the extras that it installs: .venv/.installed-dev-peers is nnet[dev,peers].
comma := ,
more := $(if $(EXTRAS),-$(subst $(comma),-,$(EXTRAS)))
plots := $(VENV)/.installed-plots$(more)
dev := $(VENV)/.installed-dev$(more)
peers := $(VENV)/.installed-dev-peers$(more)

.PHONY: train test fuzz mutations bench peers examples lint format clean

train: $(plots)
	$(BIN)/nnet train $(ARGS)

# Most of its time is compiling: in two processes, which share what they have compiled. Threads
# that wait give their core to the other process.
test: export OMP_WAIT_POLICY = passive
test: $(dev)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --benchmark-disable $(ARGS)

# Damaged files, so many a target; `make test` takes a few hundred.
fuzz: FUZZ ?= 5000
fuzz: export OMP_WAIT_POLICY = passive
fuzz: $(dev)
	FUZZ=$(FUZZ) $(BIN)/python -m pytest --numprocesses 2 tests/fuzz $(ARGS)

# Plants faults one by one, to see the tests fail: an hour.
mutations: $(peers)
	$(BIN)/python -m tests.mutations $(ARGS)

bench: $(dev)
	mkdir -p bench/results
	$(BIN)/python -m pytest bench --benchmark-json=bench/results/latest.json $(ARGS)
	$(BIN)/python -m bench.report bench/results/latest.json

peers: $(peers)
	$(BIN)/python -m bench.peers $(ARGS)

examples: $(dev)
	$(BIN)/python examples/from_pytorch.py $(ARGS)
	$(BIN)/python examples/batch_norm_outside_backprop.py
	$(BIN)/python examples/batch_norm_whitening_cost.py
	$(BIN)/python examples/adding_problem.py
	$(BIN)/python examples/reverse_sequences.py $(REVERSED)
	$(BIN)/python examples/char_lm.py
	$(BIN)/python examples/series.py
	$(BIN)/python examples/seq2seq.py

lint: $(dev)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(dev)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(subst -,$(comma),$*)]'
	touch $@
