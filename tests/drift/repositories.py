"""Small repositories to accept pages in: what the pipeline reads and writes, without the layer."""

import shutil
import subprocess
import sys
from pathlib import Path

from scripts.spec import ROOT

COPIED = ("openapi", "generated_client", "CHANGELOG.md")
PIPELINE = (".gitignore", "scripts", "tests", "pyproject.toml", "requirements.lock")
CACHES = shutil.ignore_patterns("__pycache__", ".*_cache")


def repository(folder: Path, *more: str) -> Path:
    """A git repository with one commit. `atlas_refunds/` is in none of them."""
    for name in (*COPIED, *more):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=CACHES)
        else:
            shutil.copy(source, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", "A"), ("user.email", "a@example.com"), ("commit.gpgsign", "false")):
        git(folder, "config", key, value)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Before")
    return folder


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def python(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run in the copy, with the copy's scripts and client."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{folder / 'generated_client'}:{folder}"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
