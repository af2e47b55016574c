PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
BIN = $(VENV)/bin
RESULTS ?= build/benchmarks

.PHONY: demo test lint docs bench clean

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet --editable '.[test,lint,docs,bench]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/python docs/demo.py demo.png

# tests and examples, one thread a worker: two workers with two threads each would wait for one another
test: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python -m numpydoc.hooks.validate_docstrings skgmmgan/_gmmgan.py skgmmgan/_classifier.py skgmmgan/over_sampling.py skgmmgan/pipeline.py skgmmgan/metrics.py skgmmgan/_neighbors.py skgmmgan/report.py skgmmgan/_table_displays.py skgmmgan/_model_displays.py skgmmgan/_saving.py

docs: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx --fail-on-warning --keep-going -b html docs docs/_build/html

# the benchmarks behind README and docs, many hours on two cores: make bench DATA=folder
bench: $(VENV)/.installed
	test -n "$(DATA)"
	mkdir -p $(RESULTS)
	$(BIN)/python docs/benchmarks/benchmark.py $(DATA) > $(RESULTS)/benchmark.jsonl
	$(BIN)/python docs/benchmarks/benchmark.py $(DATA) --rows 1000000 --models GMMGAN Bootstrap > $(RESULTS)/full.jsonl
	$(BIN)/python docs/benchmarks/ablation.py $(DATA) > $(RESULTS)/ablation.jsonl
	$(BIN)/python docs/benchmarks/scale.py > $(RESULTS)/scale.jsonl
	$(BIN)/python docs/benchmarks/modes.py > $(RESULTS)/modes.jsonl
	OMP_NUM_THREADS=1 $(BIN)/python docs/benchmarks/peers.py $(DATA) --tables adult magic > $(RESULTS)/peers.jsonl
	$(BIN)/python docs/benchmarks/render.py $(RESULTS) docs

clean:
	rm -rf $(VENV) docs/_build docs/api/generated docs/auto_examples
