# The project's commands; `make` alone lists them. Needs nothing but make and Python 3.11 or newer with its venv module.

# The first Python here that is new enough. To name another: PYTHON=python3.12 make run
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && exit; \
	done; echo python3)

# Each command line is simple enough for make to start it without a shell between, so that Ctrl-C ends it quietly.
VENV_PYTHON = .venv/bin/python

# Python keeps what it has compiled, whatever the environment says: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

# Locks for every system and Python from 3.11 on, with the hashes of all files.
LOCK = $(VENV_PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--custom-compile-command "make lock"

define prepare
@command -v "$(PYTHON)" >/dev/null || { echo "voipbin-ws: there is no $(PYTHON) here: install Python 3.11 or newer \
	(Debian: apt-get install python3 python3-venv)" >&2; exit 1; }
@$(PYTHON) -m deploy.prepare
endef

# The tests of the folders in [tool.coverage.run]. Random examples cover a line in one run and not in the next.
GATED_TESTS = -m "not hypothesis" tests/events/cloudevents tests/events/domain tests/events/filters tests/events/masks tests/events/event_types tests/events/quotas tests/events/summary tests/subscriptions/protocol tests/voipbin_ws/demo/simulation/model

# With DRILLS=1 these take their long form.
DRILLS = tests/faults tests/models tests/voipbin_ws/static/test_states_agree.py tests/browser/test_unruly_day.py tests/journeys/test_schemathesis.py

.PHONY: help prepared run test check coverage lock drills bench

help:
	@echo 'make run       the gateway with a demo contact centre, on http://127.0.0.1:8000 (PORT=8123 and SIMULATE=0 are heeded)'
	@echo 'make test      all checks and tests (one part of the tests: make test ARGS="tests/events -k topic")'
	@echo 'make check     style and types only'
	@echo 'make coverage  all branches of the folders without I/O have tests (a part of make test)'
	@echo 'make lock      the lock files, renewed from requirements.in, tests/requirements.in and package.json'
	@echo 'make drills    the faults in their long form, for minutes each, and the table of docs/guarantees.md'
	@echo 'make bench     the tables of docs/performance.md (one of them: make bench ARGS="fanout --server uvicorn --rounds 3")'

prepared:
	$(prepare) test

run:
	$(prepare) run
	@$(VENV_PYTHON) manage.py demo

check: prepared
	@$(VENV_PYTHON) -m ruff check
	@$(VENV_PYTHON) -m ruff format --check
	@$(VENV_PYTHON) -m mypy
	@$(VENV_PYTHON) -m deploy.check_scripts

coverage: prepared
	@$(VENV_PYTHON) -m coverage run -m pytest -q $(GATED_TESTS)
	@$(VENV_PYTHON) -m coverage report

# ARGS select some tests; style, types and coverage are checked only with all tests.
test: prepared
	@$(if $(ARGS),,$(MAKE) --no-print-directory --jobs=2 --output-sync check coverage)
	@$(VENV_PYTHON) -m deploy.programs
	@$(VENV_PYTHON) -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lock: prepared
	@$(LOCK) requirements.in --output-file requirements.txt
	@$(LOCK) tests/requirements.in --output-file tests/requirements.txt
	@.venv/bin/npm update --package-lock-only --no-audit --no-fund
	@.venv/bin/npm update --package-lock-only --no-audit --no-fund --prefix examples

drills: prepared
	@$(VENV_PYTHON) -m deploy.programs
	@DRILLS=1 $(VENV_PYTHON) -m pytest $(DRILLS) --timeout 1800 -o junit_family=xunit1 --junitxml var/drills.xml $(ARGS)
	@$(VENV_PYTHON) -m tests.faults.table var/drills.xml

bench: prepared
	@$(VENV_PYTHON) -m benchmarks $(if $(ARGS),$(ARGS),all)
