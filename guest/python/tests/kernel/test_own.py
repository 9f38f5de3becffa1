"""How the kernel notices that guest code changed the builtins."""
import types
import unittest
from unittest import mock

from kernel import own


def _stored(module, value):
    module.kept = value


class Versions(unittest.TestCase):
    def setUp(self):
        self.module = types.ModuleType("looked_at")
        self.space = self.module.__dict__
        self.number = own.version_of(self.space)
        if self.number is None:
            self.skipTest("this Python's dicts have no version")

    def test_every_kind_of_change_is_noticed_and_reading_is_none(self):
        space = self.space
        for change in (lambda: space.update(kept=1), lambda: space.__setitem__("kept", 2), lambda: space.setdefault("new", 1),
                       lambda: space.__ior__({"more": 1}), lambda: space.pop("more"), space.popitem, lambda: space.__delitem__("kept"),
                       lambda: setattr(self.module, "kept", 3), lambda: delattr(self.module, "kept"),
                       lambda: exec("kept = 4", space), lambda: exec("global kept\ndel kept", space), space.clear):
            space["other"] = None
            before = self.number[0]
            space.get("kept"), list(space), dict(space), "kept" in space
            self.assertEqual(before, self.number[0])
            change()
            self.assertNotEqual(before, self.number[0])

    def test_a_store_that_the_interpreter_specialised_is_noticed(self):
        for value in range(1000):
            before = self.number[0]
            _stored(self.module, value)
            self.assertNotEqual(before, self.number[0])


class Restored(unittest.TestCase):
    def test_with_the_number_and_without_it(self):
        for version in (own._version, None):
            live = {"one": 1, "two": 2, "added": 3}
            number = version and own.version_of(live)
            with self.subTest(version), mock.patch.multiple(own, _live=live, _names={"one": 1, "two": 2}, _untouched=[], _seen=None, _version=number):
                for change in (dict, lambda: live.update(one=7), lambda: live.pop("two"), lambda: live.update(new=4), live.clear):
                    change()
                    added = {name: value for name, value in live.items() if name not in ("one", "two")}
                    for _ in range(2):
                        own.restore()
                        self.assertEqual({"one": 1, "two": 2, **added}, live)

    def test_what_an_object_changes_as_it_goes_is_put_back_by_the_next(self):
        live = {"one": 1, "two": 2}

        class Late:
            def __del__(self):
                live["one"] = 7

        with mock.patch.multiple(own, _live=live, _names={"one": 1, "two": 2}, _untouched=[], _seen=None, _version=own.version_of(live)):
            live["two"] = Late()
            own.restore()
            own.restore()
            self.assertEqual({"one": 1, "two": 2}, live)


if __name__ == "__main__":
    unittest.main()
