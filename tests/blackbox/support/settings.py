"""What run.py was asked for, and the one server that scenarios share unless they need their own."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ROOT / "build/tools"

binary = pathlib.Path(os.environ.get("ENTREPOT_BINARY", ROOT / "build/release/entrepot")).resolve()
# host:port of a registry that is already there and wants no log-in: for checking the scenarios themselves.
foreign = os.environ.get("ENTREPOT_BLACKBOX_REGISTRY", "")
# "postgres": every server that a scenario starts gets a database of its own in one PostgreSQL cluster; empty: SQLite.
database = os.environ.get("ENTREPOT_BLACKBOX_DATABASE", "")
soak = bool(os.environ.get("ENTREPOT_SOAK"))
seed = int(os.environ.get("ENTREPOT_SEED", "1"))
