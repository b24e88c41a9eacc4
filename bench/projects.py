#!/usr/bin/env python3
"""Measures whether pushes into one project hold each other up: many connections push images into repositories of one
project, beside the same number of projects with one repository each, on PostgreSQL. bench/README.md explains."""
import argparse
import pathlib
import statistics
import tempfile

from harness import servers
from harness.load import Generator
from tenancy import Api, token_of

ROOT = pathlib.Path(__file__).resolve().parent.parent


def repositories(server, api, names):
    for project in sorted({name.split("/")[0] for name in names}):
        api.call("POST", "/api/v2.0/projects", {"project_name": project})
    return [f"{name} {token_of(server, 'admin', servers.PASSWORD, name, 'pull,push')}" for name in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/entrepot")
    parser.add_argument("--generator", type=pathlib.Path, default=ROOT / "build/release/entrepot_load")
    parser.add_argument("--pushers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as scratch:
        pathlib.Path(scratch).chmod(0o755)  # PostgreSQL's user has to get in
        generator = Generator(options.generator, scratch)
        with servers.EntrepotOnPostgres(pathlib.Path(scratch), options.binary) as server:
            api = Api(server)
            one = repositories(server, api, [f"one/r{i}" for i in range(options.pushers)])
            many = repositories(server, api, [f"p{i}/r" for i in range(options.pushers)])
            rates = {"one": [], "many": []}
            for turn in range(options.rounds):
                for name, lines in (("one", one), ("many", many))[::1 if turn % 2 else -1]:
                    seen = generator.run(server, ["images", "--repositories", generator.file_of(lines)],
                                         options.pushers, options.seconds)
                    if seen["errors"]:
                        raise RuntimeError(seen["complaints"])
                    rates[name].append(seen["units"] / options.seconds)
                    print(f"{name}: {rates[name][-1]:.0f} images/s", flush=True)
    one, many = statistics.median(rates["one"]), statistics.median(rates["many"])
    print(f"{options.pushers} pushers: {one:.0f} images/s into one project, {many:.0f} into as many projects: "
          f"{100 * one / many:.0f} %")


if __name__ == "__main__":
    main()
