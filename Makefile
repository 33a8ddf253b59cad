# Everything runs in .venv, which the first target of a fresh clone makes. PYTHON is the interpreter to make it with.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.installed

.PHONY: demo test test-slow check bench clean

demo: $(READY)
	$(BIN)/python examples/demo.py

# Two workers, each with one thread: two of both wait for each other on two cores.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -m "not slow"

test-slow: $(READY)
	$(BIN)/pytest -m slow

check: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 -m "not slow"

bench: $(READY)
	$(BIN)/python -m benchmarks.fidelity
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.loader
	$(BIN)/python -m benchmarks.training

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]" -c constraints.txt
	touch $(READY)

clean:
	rm -rf .venv
