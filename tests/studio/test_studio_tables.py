"""Tables at the services: a row has one score or one refusal, by batch and by request; bytes are read as they are stored."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json

import pandas as pd
import pytest
from azure.storage.blob import ContentSettings

from clients.storage import Container
from tests.studio.running import Endpoint, Running
from tests.studio.shared import Trained

# As JSON, as a file has it, and whether an integer column takes it.
CELLS = [
    ('"100"', "100", True),
    ("100", "100", True),
    ("100.0", "100.0", True),
    ('" 1e2"', " 1e2", True),
    ("null", "", True),
    ('"NaN"', "NaN", True),
    ('"1028.5"', "1028.5", False),
    ("99999999999", "99999999999", False),
    ('"1e300"', "1e300", False),
    ("-1e300", "-1e300", False),
    ('"Infinity"', "Infinity", False),
    ("1" + "0" * 30, "1" + "0" * 30, False),
    ('"1_0_2_8"', "1_0_2_8", False),
    ('"0x64"', "0x64", False),
    ('"\u0661"', "\u0661", False),
    ('"true"', "true", False),
]


def blob(studio: Running, name: str) -> dict[str, str]:
    return {"ConnectionString": studio.connection_string, "RelativeLocation": f"/data/{name}"}


def test_a_row_has_one_score_or_one_refusal_by_batch_and_by_request(
    endpoint: Endpoint, studio: Running
) -> None:
    """To the last digit, and in the same words, with column and value named; nothing is echoed that was not sent."""
    jobs = {}
    for number, (_json, text, _taken) in enumerate(CELLS):
        studio.upload("data", f"row{number}.csv", f"surface,other\r\n{text},x\r\n".encode())
        order = {"Inputs": {"input1": blob(studio, f"row{number}.csv")}, "GlobalParameters": None}
        order["Outputs"] = {"output1": blob(studio, f"scored{number}.csv")}
        jobs[number] = endpoint.submit(order).raise_for_status().json()
        endpoint.call("POST", f"jobs/{jobs[number]}/start").raise_for_status()
    for number, (written, text, taken) in enumerate(CELLS):
        body = json.dumps(
            {"Inputs": {"input1": {"ColumnNames": ["surface", "other"], "Values": [["?", "x"]]}}}
        )
        answer = studio.http.post(
            endpoint.url + "/execute",
            content=body.replace('"?"', written).encode(),
            headers=endpoint.headers,
            params={"api-version": "2.0", "details": "true"},
        )
        batch = endpoint.wait(jobs[number], "Finished", "Failed")
        if taken:
            value = answer.json()["Results"]["output1"]["value"]
            row = dict(zip(value["ColumnNames"], value["Values"][0], strict=True))
            assert value["ColumnTypes"][0] == "Int32"
            assert row["surface"] == (None if text in ("", "NaN") else "100")
            lines = studio.download("data", f"scored{number}.csv").decode().split("\r\n")
            scored = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
            assert float(scored["Scored Labels"]).hex() == float(row["Scored Labels"]).hex(), text
            continue
        assert (answer.status_code, batch["StatusCode"]) == (400, "Failed"), text
        error = answer.json()["error"]["details"][0]
        assert error["code"] == "InputParseError"
        for told, value in ((error["message"], str(json.loads(written))), (batch["Details"], text)):
            refusal = f'Failed to convert value "{value}" in column "surface" from "String" to "Int32".'
            assert f"input1: Error 0002: {refusal}" in told


def test_a_compressed_table_is_named_as_such_wherever_it_is_read(trained: Trained, studio: Running) -> None:
    """Content-MD5 is that of the stored bytes, Content-Encoding undoes nothing: job and provider see the same bytes."""
    packed = gzip.compress(b"surface,price\n100,200\n150,300\n", mtime=0)
    digest = hashlib.md5(packed, usedforsecurity=False).digest()
    with studio.blobs() as service:
        service.get_blob_client("data", "packed.csv").upload_blob(
            packed,
            overwrite=True,
            content_settings=ContentSettings(content_encoding="gzip", content_md5=bytearray(digest)),
        )
    job = trained.endpoint.run(trained.order("packed.csv", output1="models/packed.ilearner"))
    assert job["StatusCode"] == "Failed"
    assert "is compressed (gzip)" in job["Details"]
    container = Container(studio.connection_string, "data", "")
    content, etag = container.read("packed.csv")
    found = container.stat("packed.csv")
    assert found is not None
    assert (
        content == b"".join(container.chunks("packed.csv", etag)) == container.read_start("packed.csv", 999)
    )
    assert (found.size, found.md5) == (len(content), base64.b64encode(digest).decode())
    assert content == packed


def test_a_job_reads_every_format_to_the_same_model_and_scores(trained: Trained, studio: Running) -> None:
    """A table is what its name says: packed, ARFF, Parquet; what is not is refused with the blob's name."""
    frame = pd.read_csv(io.BytesIO(studio.download("data", "houses.csv")))
    sink = io.BytesIO()
    frame.to_parquet(sink, index=False)
    attributes = "".join(f"@attribute '{name}' numeric\n" for name in frame.columns)
    rows = frame.to_csv(index=False, header=False)
    files = {
        "houses.csv.gz": gzip.compress(frame.to_csv(index=False).encode()),
        "houses.arff": f"@relation houses\n{attributes}@data\n{rows}".encode(),
        "houses.parquet": sink.getvalue(),
    }
    plain = trained.endpoint.run(trained.order(output1="models/plain.ilearner"))
    assert plain["StatusCode"] == "Finished", plain
    for name, content in files.items():
        studio.upload("data", name, content)
        job = trained.endpoint.run(trained.order(name, output1=f"models/{name}.ilearner"))
        assert job["StatusCode"] == "Finished", job["Details"]
        assert studio.download("data", f"models/{name}.ilearner") == studio.download(
            "data", "models/plain.ilearner"
        )
    studio.upload("data", "wrong.parquet", files["houses.csv.gz"])
    job = trained.endpoint.run(trained.order("wrong.parquet", output1="models/none.ilearner"))
    assert "it is not Parquet, as its name says. The blob is data/wrong.parquet" in job["Details"]


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("front.csv", b"surface,price\n1,100,200\n2,150,300\n", "line 2 has 3 values, and the table has 2 columns"),
        ("some.csv", b"surface,price\n100,200\n150,300,1\n", "line 3 has 3 values, and the table has 2 columns"),
        ("fewer.tsv", b"surface\tprice\n100\t200\n\n150\n", "line 4 has 1 value, and the table has 2 columns"),
        ("latin.csv", b"surface,price\n100,200\n\xe9,300\n", "line 3 is not text in UTF-8"),
        ("twice.csv", b"surface,surface\n100,200\n", "line 1 names two columns 'surface'"),
    ],
)  # fmt: skip
def test_a_job_refuses_what_is_no_table_with_blob_and_line(
    trained: Trained, studio: Running, name: str, content: bytes, cause: str
) -> None:
    """Expected and found numbers are told."""
    studio.upload("data", name, content)
    job = trained.endpoint.run(trained.order(name, output1="models/none.ilearner"))
    assert job["StatusCode"] == "Failed"
    assert cause in job["Details"]
    assert f"data/{name}" in job["Details"]
