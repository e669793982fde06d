# Everything runs in .venv; `make demo` and `make test` are all that a newcomer needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test unit lint generate bench conformance corpus mutations image fuzz chaos clean

demo: .venv/tool ## install the tool and dry-run the examples on the best sandbox of this host
	@echo "Eleven example runbooks, on the best sandbox that this host has. Two are meant to fail:"
	@echo "resize-search-cache (its rollback works) and unsafe-cleanup (it never starts)."
	@$(BIN)/wpk-sandbox run examples --report wpk-sandbox-report; status=$$?; \
	  [ $$status -le 1 ] || exit $$status; \
	  echo "Look at wpk-sandbox-report/report.html, or read docs/tutorial.md."

test: .venv/test ## everything that this host can test; ends with a table of what was skipped
	$(BIN)/pytest tests/unit -q -n auto
	$(BIN)/pytest tests/contract tests/e2e tests/chaos -q

unit: .venv/test ## the quick tests alone: no Docker, no namespaces
	$(BIN)/pytest tests/unit -q -n auto

lint: .venv/lint ## style, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

generate: .venv/tool ## schemas, settings and rules pages, the Action's inputs
	$(BIN)/python -m wpk_sandbox.generated

bench: .venv/tool ## our costs against the bare tools, as ratios measured side by side
	$(BIN)/python bench/bench.py

conformance: .venv/test ## what a stranger would try against every sandbox, each with a control; writes docs/conformance.md
	$(BIN)/python tests/conformance/conformance.py --page docs/conformance.md --json wpk-sandbox-conformance.json

corpus: .venv/tool ## precision and recall of the findings over tests/corpus, per family
	$(BIN)/python tests/corpus/measure.py

mutations: .venv/tool ## the share of rewritten dangerous scripts that is still found
	$(BIN)/python tests/corpus/mutate.py

# Seconds for each target and engine.
FUZZ_SECONDS ?= 60
fuzz: .venv/fuzz ## hostile input for the loader, the shell analysis, the rules and the reports; see tests/fuzz
	@for target in loader shell check forms; do for engine in hypothesis atheris; do \
	  nice $(BIN)/python tests/fuzz/fuzz.py $$target --engine $$engine --seconds $(FUZZ_SECONDS) || exit 1; \
	done; done

chaos: .venv/test ## 100 runs killed at random moments, a full disk, a daemon killed: nothing may stay; 15 minutes
	cd tests && ../$(BIN)/python -m chaos.chaos $(CHAOS)

image: ## the one image for the Action, GitLab and the command line
	docker build -t wpk-sandbox:local .

.venv/tool: pyproject.toml scripts/setup
	scripts/setup $(PYTHON)
	$(BIN)/pip install -q -e .
	@touch $@

.venv/test: .venv/tool
	$(BIN)/pip install -q --group test
	@touch $@

.venv/lint: .venv/tool
	$(BIN)/pip install -q --group lint
	@touch $@

.venv/fuzz: .venv/test
	$(BIN)/pip install -q --group fuzz || echo "Atheris has no build for this Python: Hypothesis fuzzes alone"
	@touch $@

clean:
	rm -rf .venv wpk-sandbox-report .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
