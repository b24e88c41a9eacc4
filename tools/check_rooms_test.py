#!/usr/bin/env python3
"""check_rooms.py must see what it is there for: each test plants one violation in a small tree."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).with_name("check_rooms.py")


class CheckRooms(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root, "src", name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            done = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout

    def test_allowed_arrows_pass(self):
        self.assertEqual(self.check({
            "core/a.hpp": "#pragma once\n",
            "oci/b.hpp": '#include "core/a.hpp"\n',
            "drivers/sqlite/c.cpp": '#include "drivers/sql/d.hpp"\n#include "oci/b.hpp"\n',
            "main.cpp": '#include "app/e.hpp"\n',
        }), (0, ""))

    def test_a_forbidden_include_is_named_with_its_line(self):
        code, said = self.check({"core/a.hpp": '#pragma once\n#include "oci/b.hpp"\n'})
        self.assertEqual(code, 1)
        self.assertRegex(said, r"core/a\.hpp:2: core/ may not include oci/")

    def test_verb_rooms_do_not_see_each_other(self):
        self.assertEqual(self.check({"tenancy/a.cpp": '#include "registry/pull.hpp"\n'})[0], 1)

    def test_drivers_do_not_see_each_other(self):
        self.assertEqual(self.check({"drivers/sqlite/a.cpp": '#include "drivers/postgres/b.hpp"\n'})[0], 1)

    def test_the_chunk_store_sees_the_swarm_and_no_oci(self):
        self.assertEqual(self.check({"drivers/chunk_files/a.cpp": '#include "swarm/piece.hpp"\n'}), (0, ""))
        self.assertEqual(self.check({"drivers/chunk_files/a.cpp": '#include "oci/digest.hpp"\n'})[0], 1)
        self.assertEqual(self.check({"swarm/a.cpp": '#include "drivers/chunk_files/b.hpp"\n'})[0], 1)

    def test_http_knows_no_oci(self):
        self.assertEqual(self.check({"http/a.cpp": '#include "oci/digest.hpp"\n'})[0], 1)

    def test_main_sees_only_app(self):
        self.assertEqual(self.check({"main.cpp": '#include "api/server.hpp"\n'})[0], 1)

    def test_tests_are_held_to_the_arrows_too(self):
        self.assertEqual(self.check({"oci/a_test.cpp": '#include "http/message.hpp"\n'})[0], 1)

    def test_a_folder_that_is_no_room_is_refused(self):
        self.assertEqual(self.check({"misc/a.cpp": "\n"})[0], 1)

    def test_two_types_of_one_name_are_refused(self):
        code, said = self.check({"oci/a.hpp": "struct Descriptor {\n};\n", "http/b.hpp": "class Descriptor {\n};\n"})
        self.assertEqual(code, 1)
        self.assertIn("Descriptor is also defined in", said)
        self.assertEqual(self.check({"oci/a.hpp": "struct Descriptor {\n};\n", "oci/b.hpp": "struct Descriptor;\n"})[0], 0)

    def test_a_file_of_501_lines_is_refused(self):
        self.assertEqual(self.check({"core/a.cpp": "\n" * 500})[0], 1)  # also over the nine-in-ten budget
        files = {f"core/{n}.cpp": "\n" for n in range(20)}
        self.assertEqual(self.check({**files, "core/a.cpp": "\n" * 500})[0], 0)
        self.assertEqual(self.check({**files, "core/a.cpp": "\n" * 501})[0], 1)
        self.assertEqual(self.check({**files, "core/a_test.cpp": "\n" * 501})[0], 0)


if __name__ == "__main__":
    unittest.main()
