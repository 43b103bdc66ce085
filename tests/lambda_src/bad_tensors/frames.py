"""Wrong files for a graph of several inputs: `age` float, `city` string, `visits` int32, a row or more of each."""

from collections.abc import Iterator

import numpy as np

from ..bad_files.bad_file import BadFile
from ..tables import npy, npz

JSON = {
    "MISSING_INPUT": (
        "1",
        "[1]",
        "{}",
        '{"age":1}',
        '{"age":1,"city":"a"}',
        '[{"age":1,"city":"a","visits":1}]',
    ),
    "UNKNOWN_INPUT": ('{"age":1,"city":"a","visits":1,"name":"b"}', '{"Age":1,"city":"a","visits":1}'),
    "WRONG_SHAPE": (
        *('{"age":[1,2],"city":["a"],"visits":[1]}', '{"age":[[1,2]],"city":["a"],"visits":[1]}'),
        '{"age":[1],"city":["a"],"visits":[1,2]}',
    ),
    "WRONG_TYPE": (
        *('{"age":1,"city":1,"visits":1}', '{"age":"1","city":"a","visits":1}', '{"age":1,"city":"a","visits":1.5}'),
        *(
            '{"age":1,"city":true,"visits":1}',
            '{"age":1,"city":"\\ud800","visits":1}',
            '{"age":1,"city":"a","visits":"1"}',
        ),
        *('{"age":1,"city":{},"visits":1}', '{"age":[1,2],"city":["a",2],"visits":[1,2]}'),
    ),
    "OUT_OF_RANGE": (
        *('{"age":1,"city":"a","visits":2147483648}', '{"age":1,"city":"a","visits":-1e10}'),
        f'{{"age":1,"city":"a","visits":{10**30}}}',
    ),
    "MISSING_VALUES": ('{"age":null,"city":"a","visits":1}', '{"age":1,"city":null,"visits":1}'),
    "NON_FINITE_VALUES": ('{"age":1,"city":"a","visits":NaN}', '{"age":1,"city":"a","visits":1e999}'),
}
CSV = {
    "MISSING_INPUT": ("1,2,3", "age,city\n1,a", "age\n1", "\n", "age;city\n1;a"),
    "UNKNOWN_INPUT": (
        *(
            "1,a,3",
            "age,city,visits,x\n1,a,1,2",
            "age,city,visit\n1,a,1",
            "Age,City,Visits\n1,a,1",
            ",age,city,visits\n0,1,a,1",
        ),
        "age|city|visits\n1|a|1",
    ),
    "CORRUPT_TENSOR": ("age,age,city,visits\n1,1,a,1", 'age,city,visits\n1,"a,1', 'age,city,visits\n1,"a"b,1'),
    "EMPTY_TENSOR": ("age,city,visits", "visits;city;age\n"),
    "WRONG_SHAPE": (
        "age,city,visits\n1,a",
        "age,city,visits\n1,a,1,1",
        "age,city,visits\n1,a,b,1",
        "age,city,visits\n1,a,1\n\n2,b,2",
    ),
    "WRONG_TYPE": (
        "age,city,visits\nx,a,1",
        "age,city,visits\n1,a,1.5",
        "age,city,visits\n1,a,x",
        "age;city;visits\n1,5;a;1",
    ),
    "MISSING_VALUES": ("age,city,visits\n,a,1", "age,city,visits\n1,a,", "age,city,visits\nnan,a,1"),
    "OUT_OF_RANGE": ("age,city,visits\n1,a,3000000000", "age,city,visits\n1e39,a,1"),
}


def files() -> Iterator[BadFile]:
    yield BadFile("frame, whole", b"age,city,visits\n1,a,1", None, "nothing is wrong with it")
    for texts in (JSON, CSV):
        for code, some in texts.items():
            for text in some:
                yield BadFile(f"frame, {text}", text.encode(), code)
    one, words = np.ones((2, 1)), np.array([["a"], ["b"]])
    yield BadFile("frame, .npy", npy(one), "MISSING_INPUT")
    yield BadFile("frame, .npz of one", npz(age=one), "MISSING_INPUT")
    yield BadFile("frame, .npz without names", npz(arr_0=one, arr_1=words, arr_2=one), "UNKNOWN_INPUT")
    yield BadFile("frame, .npz of bytes", npz(age=one, city=words.astype("S"), visits=one), "WRONG_TYPE")
    yield BadFile("frame, .npz of numbers", npz(age=one, city=one, visits=one), "WRONG_TYPE")
    yield BadFile("frame, .npz of objects", npz(age=one, city=words.astype(object), visits=one), "UNSUPPORTED_FORMAT")
    yield BadFile("frame, .npz of halves", npz(age=one, city=words, visits=one / 2), "WRONG_TYPE")
    yield BadFile("frame, .npz of three rows", npz(age=one, city=words, visits=np.ones(3)), "WRONG_SHAPE")
    surrogates = np.frombuffer(b"\x00\xd8\0\0" * 2, "<U1").reshape(2, 1)
    yield BadFile("frame, .npz of half characters", npz(age=one, city=surrogates, visits=one), "WRONG_TYPE")
