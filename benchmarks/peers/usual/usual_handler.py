"""The same pipeline as it is usually written: librosa loads the file; boto3 and onnxruntime stay at their defaults."""

import json
import os
import tempfile
import urllib.parse
from decimal import Decimal
from typing import Any

import boto3
import librosa
import onnxruntime

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["PREDICTIONS_TABLE"])
session = onnxruntime.InferenceSession(os.environ["MODEL_S3_URI"])
labels = json.loads(session.get_modelmeta().custom_metadata_map["labels"])


def handler(event: dict[str, Any], context: Any) -> None:
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            s3.download_file(bucket, key, file.name)
            samples, _ = librosa.load(file.name, sr=16_000, mono=True)
        scores = session.run(["scores"], {"waveform": samples})[0]
        best = scores.argsort()[::-1][:5]
        table.put_item(
            Item={
                "object_key": key,
                "label": labels[best[0]],
                "score": Decimal(str(scores[best[0]])),
                "top_labels": [{"label": labels[i], "score": Decimal(str(scores[i]))} for i in best],
            }
        )
