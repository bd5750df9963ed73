"""Asks a model server through NVIDIA's Triton client: logits as raw float32 on standard output.

Arguments: host:port, model name, model version, file of the image (raw uint8), side of the window, file of the token ids
(raw int64), file of the mask (raw int64), number of rows, `json` or `binary`, `gzip` or `plain`.
"""

import sys

import numpy as np
import tritonclient.http as http

address, name, version, image_file, side, ids_file, mask_file, rows, form, compression = sys.argv[1:]
binary = form == "binary"
client = http.InferenceServerClient(address, connection_timeout=60, network_timeout=120)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(name, version)
assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
metadata = client.get_model_metadata(name, version)

arrays = {
    "image": np.fromfile(image_file, np.uint8).reshape(1, int(side), int(side), 3),
    "input_ids": np.fromfile(ids_file, np.int64).reshape(int(rows), -1),
    "attention_mask": np.fromfile(mask_file, np.int64).reshape(int(rows), -1),
}
inputs = []
for tensor in metadata["inputs"]:
    array = arrays[tensor["name"]]
    inputs.append(http.InferInput(tensor["name"], list(array.shape), tensor["datatype"]))
    inputs[-1].set_data_from_numpy(array, binary_data=binary)
algorithm = "gzip" if compression == "gzip" else None
result = client.infer(
    name,
    inputs,
    model_version=version,
    request_id="42",
    outputs=[http.InferRequestedOutput("logits", binary_data=binary)],
    request_compression_algorithm=algorithm,
    response_compression_algorithm=algorithm,
)
assert result.get_response()["id"] == "42"
try:
    client.infer("no-such-model", inputs)
    raise SystemExit("a model that is not there answered")
except http.InferenceServerException as error:
    assert error.status() == "404" and "Model no-such-model does not exist" in error.message(), error
sys.stdout.buffer.write(result.as_numpy("logits").astype("<f4").tobytes())
