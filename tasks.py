"""The project's tasks: each parses its options and calls one function. See ./inv --list."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for room in ("ci", "installer", "packaging"):
    sys.path.insert(0, str(HERE / room))
sys.path.insert(0, str(HERE))

from invoke import Collection  # noqa: E402

from kronos_lab import bench_tasks, docs_tasks, lab_tasks  # noqa: E402
from kronos_lab import test_tasks as tests  # noqa: E402
from kronos_packaging import build_tasks, ci_tasks, repo_tasks  # noqa: E402

namespace = Collection()
namespace.add_task(build_tasks.build)
gates = Collection("test", tests.long, tests.faults)
gates.add_task(tests.test, name="all", default=True)
namespace.add_collection(gates)
namespace.add_task(tests.lint)
namespace.add_task(docs_tasks.docs)
namespace.add_collection(Collection.from_module(lab_tasks), name="lab")
namespace.add_task(repo_tasks.publish)
repo = Collection("repo", repo_tasks.verify, repo_tasks.serve, repo_tasks.refresh, repo_tasks.rotate_key)
namespace.add_collection(repo)
namespace.add_collection(Collection.from_module(ci_tasks), name="ci")
namespace.add_task(bench_tasks.bench)
