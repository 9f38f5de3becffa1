import unittest

from launcher import requests
from launcher.requests import Refused

LIMITS = {"memory_bytes": 1 << 28, "cpu_millis": 1000, "pids": 64, "disk_bytes": 1 << 20, "inodes": 1000, "open_files": 64}
ODD = [None, True, False, -1, 0, 1.5, 10**30, "", "x", "a\0b", [], {}, [1], {"a": 1}, float("nan")]


class RequestsTest(unittest.TestCase):
    def refused(self, check, value, *arguments):
        with self.assertRaises(Refused, msg=repr(value)) as caught:
            check({"field": value}, "field", *arguments)
        self.assertEqual(caught.exception.code, "bad_request")

    def test_a_number_is_a_whole_number_in_its_range(self):
        self.assertEqual(requests.number({"field": 5}, "field", 1, 5), 5)
        for value in [*ODD, 6, "5"]:
            self.refused(requests.number, value, 1, 5) if value is not True else self.refused(requests.number, True, 0, 5)

    def test_a_name_cannot_leave_its_directory(self):
        self.assertEqual(requests.name({"field": "a-9"}, "field"), "a-9")
        for value in [*[v for v in ODD if v != "x"], "..", "a/b", "A", "é", "a\n", "a" * 41, "-\n"]:
            self.refused(requests.name, value)

    def test_a_text_has_no_nul_and_an_end(self):
        self.assertEqual(requests.text({"field": "a"}, "field", 1), "a")
        for value in (None, 1, [], "a\0", "aa"):
            self.refused(requests.text, value, 1)

    def test_a_choice_is_one_of_them(self):
        self.assertEqual(requests.one_of({"field": "b"}, "field", ("a", "b")), "b")
        for value in ("c", None, "", 1, [], {}):
            self.refused(requests.one_of, value, ("a", "b"))

    def test_texts_and_environments_hold_texts_only(self):
        self.assertEqual(requests.strings({"field": ["a", ""]}, "field"), ["a", ""])
        for value in (None, "ab", {"a": 1}, [1], ["a\0"], [["a"]], ["x" * 900_001]):
            self.refused(requests.strings, value)
        self.assertEqual(requests.environment({"field": {"A": ""}}, "field"), {"A": ""})
        for value in (None, [], "A=b", {"": "b"}, {"A=": "b"}, {"A\0": "b"}, {"A": "b\0"}, {"A": 1}, {"A": None}):
            self.refused(requests.environment, value)

    def test_every_limit_is_needed_and_bounded(self):
        self.assertEqual(requests.limits({"limits": {**LIMITS, "unknown": 1}}), LIMITS)
        for bad in (None, [], {}, {k: v for k, v in LIMITS.items() if k != "pids"}):
            with self.assertRaises(Refused):
                requests.limits({"limits": bad})
        for field in LIMITS:
            for value in (None, -1, 0, True, "64", 1 << 60, 1.0):
                with self.assertRaises(Refused, msg=f"{field} {value!r}"):
                    requests.limits({"limits": {**LIMITS, field: value}})

    def test_descriptors_are_counted(self):
        self.assertEqual(requests.descriptors([3], 1), [3])
        for given in ([], [3, 4]):
            with self.assertRaises(Refused):
                requests.descriptors(given, 1)
