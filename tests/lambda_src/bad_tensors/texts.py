"""Damaged and wrong JSON and CSV."""

from collections.abc import Iterator

from ..bad_files.bad_file import BadFile

JSON = {
    "CORRUPT_TENSOR": (
        *("[", "[1", "[1,", "[1,]", "[1,,2,3]", "[1 2 3 4]", "[1,2,3,4]]", "[1,2,3,4] 5", "[1,2,3,4", "{", '{"x"'),
        *('{"x":', '{"x":}', "{x: [1,2,3,4]}", "{'x': [1,2,3,4]}", '{"x":[1,2,3,4],}', '{"x":1,"x":2}', "[1,2,3,4}"),
        *("[01,2,3,4]", "[1.,2,3,4]", "[.5,2,3,4]", "[+1,2,3,4]", "[1e,2,3,4]", "[0x10,2,3,4]", "[1_0,2,3,4]"),
        *("[nan,2,3,4]", "[None,2,3,4]", "[True,2,3,4]", "[1,2,3,4] // row", '["\n",2,3,4]', '["\\x",2]', '["abc]'),
        *("[\u0661,2,3,4]", "[1\u00a0,2,3,4]", '{"x":[1,2,3,4],"x":[1,2,3,4]}', "[--1,2,3,4]", "[1,2,3,4]\n[5,6,7,8]"),
        "[" * 32,
    ),
    "EMPTY_TENSOR": ("[]", "[[]]", "[[],[]]", "[[[]]]", '{"x":[]}'),
    "WRONG_SHAPE": (
        *(
            "[1]",
            "[1,2,3]",
            "[1,2,3,4,5]",
            "[[1,2,3,4],[1,2,3]]",
            "[[1,2,3,4],5]",
            "[5,[1,2,3,4]]",
            "[[1],[2],[3],[4]]",
        ),
        *("[[[1,2,3,4],[1,2,3,4]],[[1,2,3,4],[1,2,3,4]]]", "[[1,2],[3,4]]", '{"x":1}', "[[1,2,3,4],[]]", "[[],1]"),
        *("[" * 40 + "1" + "]" * 40, "[" * 10_000, "[" * 5_000 + "]" * 5_000, "[{},[]]", "[[1,2,3,4],null]"),
        '{"x":' * 10_000,
    ),
    "WRONG_TYPE": (
        *(
            '["a","b","c","d"]',
            '[1,2,3,"4"]',
            "[1,2,3,true]",
            "[true,2,3,4]",
            "[1,2,3,{}]",
            '[{"a":1},2,3,4]',
            '{"x":{}}',
        ),
        *('[1,2,3,""]', '[1,2,3,"NaN"]', '{"x":"1,2,3,4"}', '[{"x":[1,2,3,4]}]', '["\\ud800",1,2,3]'),
    ),
    "MISSING_VALUES": ("[1,2,3,null]", "[null,null,null,null]", '{"x":null}'),
    "NON_FINITE_VALUES": ("[1,2,3,NaN]", "[1,2,3,Infinity]", "[1,2,3,-Infinity]", "[1,2,3,1e999]", "[1,2,3,-1e400]"),
    "OUT_OF_RANGE": (
        *("[1,2,3,1e39]", "[1,2,3,-1e308]", f"[1,2,3,{10**400}]", f"[1,2,3,{10**39}]", f"[1.5,2,3,{10**400}]"),
        f"[1,2,3,{'9' * 5_000}]",
    ),
    "UNKNOWN_INPUT": ('{"y":[1,2,3,4]}', '{"x":[1,2,3,4],"y":1}', '{"":1}', '{"X":[1,2,3,4]}', '{"\\ud800":1}'),
    "MISSING_INPUT": ("{}",),
}
CSV = {
    "EMPTY_TENSOR": ("\n", "\r\n\r\n", "a,b,c,d", "a,b,c,d\n", "Dear Sir or Madam"),
    "WRONG_SHAPE": (
        *(
            "1",
            "1,2,3",
            "1,2,3,4,5",
            "1,2,3,4\n1,2,3",
            "1,2,3,4\n1,2,3,4,5",
            "1,2,3,4\n\n1,2,3,4",
            "1,2,3,4,0",
        ),
        *(
            "a,b,c,d\n1,2,3",
            "a,b,c\n1,2,3",
            "1;2;3",
            "a\n1\n2\n3\n4",
            "1,2,3,4\r1,2",
            "1\n" * 4,
        ),
    ),
    "WRONG_TYPE": (
        *("1,2,3,x", "a,2,3,4", "1,2,3,4\na,b,c,d", "1;2;3;4,5", "1;2;3,0;4", "1_0,2,3,4", "0x1,2,3,4", "1e,2,3,4"),
        *("1,2,3,--4", "1,2,3,4%", "1,2,3,$4", "1,2,3,٤", "1,2,3,1/2", "1,2,3,4 5", "1,2,3,true", "1,2,3,1e5.5"),
        *("1,2,3,NA", "NA,NA,NA,NA", "1,2,3,null", "1,2,3,-", "1,2,3,?", "1,2,3,inf", "1,2,3,-Infinity", "1,2,3,=1+1"),
        *(
            '"1,5","2,5","3,5","4,5"',
            "1\t2\t3\t4,5",
            "1,2,3,\u22124",
            "1,2,3,1\u202f000",
            "-,-,-,-",
            "+,1,2,3",
            "1.2.3,1,2,3",
            "1 2 3 4",
            "1|2|3|4",
            '"1,2,3,4"',
        ),
    ),
    "MISSING_VALUES": (
        *(
            "1,2,3,",
            ",2,3,4",
            ",,,",
            "1,2,3,4\n1,2,,4",
            '1,2,3,""',
            "1,2,3, ",
            "1,2,3,nan",
            "1,2,3,NaN",
            "1;2;3;",
            "1,2,3,4,",
        ),
        "a,b,c,d\n,,,",
    ),
    "NON_FINITE_VALUES": ("1,2,3,1e999", "1,2,3,-1e400", "1,2,3,1e999999999999", f"1,2,3,{10**330}"),
    "OUT_OF_RANGE": ("1,2,3,1e39", "1,2,3,-1e300", f"1,2,3,{10**39}"),
    "CORRUPT_TENSOR": ('1,2,3,"4', '1,2,3,"4"5', '"1,2,3,4\n' * 3, '1,2,3,"' + "4" * 200_000),
}
LARGE = {
    "commas": ("," * 12_000_000, "TENSOR_TOO_LARGE"),
    "commas in brackets": ("[" + "1," * 600_000 + "1]", "TENSOR_TOO_LARGE"),
    "semicolons": (";" * 12_000_000, "TENSOR_TOO_LARGE"),
    "line ends": ("1" + "\n" * 12_000_000 + "1", "TENSOR_TOO_LARGE"),
    "open brackets": ("[" * 12_000_000, "TENSOR_TOO_LARGE"),
    "many open brackets": ("[" * 400_000, "WRONG_SHAPE"),
    "empty lists": ("[" + "[]," * 400_000 + "[]]", "EMPTY_TENSOR"),
    "empty objects": ("[" + "{}," * 400_000 + "{}]", "WRONG_TYPE"),
    "nulls": ("[" + "null," * 400_000 + "1]", "MISSING_VALUES"),
    "infinities": ("[" + "Infinity," * 400_000 + "1]", "WRONG_SHAPE"),
    "many keys": ("{" + ",".join(f'"{number}":1' for number in range(400_000)) + "}", "UNKNOWN_INPUT"),
    "many equal keys": ("{" + '"x":1,' * 400_000 + '"y":1}', "CORRUPT_TENSOR"),
    "long integers": ("[" + ("9" * 4_300 + ",") * 2_500 + "1]", "OUT_OF_RANGE"),
    "one long number": ("[1." + "9" * 12_000_000 + "]", "WRONG_SHAPE"),
    "one long number in CSV": ("1." + "9" * 100_000 + ",2,3,x", "WRONG_TYPE"),
    "12 MiB and a byte": ("1,2,3,4\n" * 20_000 + " " * (12 * 1024**2 - 160_000 + 1), "TENSOR_TOO_LARGE"),
    "quotes": ('"' * 12_000_000, "CORRUPT_TENSOR"),
    "quoted line ends": ('"\n"' * 400_000, "CORRUPT_TENSOR"),
    "a wrong last cell": ("1,2,3,4\n" * 100_000 + "1,2,3,x", "WRONG_TYPE"),
    "a missing last cell": ("1.5,2,3,4\n" * 100_000 + "1,2,3", "WRONG_SHAPE"),
    "a header of 400,000": (",".join(f"a{number}" for number in range(400_000)) + "\n1,2,3,4", "WRONG_SHAPE"),
    "small denormals": ("[" + "4e-324," * 400_000 + "1]", "WRONG_SHAPE"),
    "rows of two lengths": ("[" + "[1,2,3,4]," * 90_000 + "[1,2,3]]", "WRONG_SHAPE"),
    "characters of four bytes": ('["' + "\U0001f600" * 2_900_000 + '"]', "WRONG_TYPE"),
}


def files() -> Iterator[BadFile]:
    for code, texts in JSON.items():
        for number, text in enumerate(texts):
            yield BadFile(f"JSON, {code} {number}: {text[:30]}", text.encode(), code)
    for code, texts in CSV.items():
        for number, text in enumerate(texts):
            yield BadFile(f"CSV, {code} {number}: {text[:30]}", text.encode(), code)
    for name, (text, code) in LARGE.items():
        yield BadFile(f"text, {name}", text.encode(), code)
