"""Whether TensorBoard reads the event files of a training, and finds in them what the run's log says.

    cargo build && pip install tensorboard
    python tests/python/check_tensorboard.py target/debug/aumenta
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

CONFIG = """
data = "split"
run = "run"
epochs = 3
batch-size = 8
tensorboard = true

[model]
name = "cats-dogs-convnet"
image-size = 64

[validation]
every-steps = 2
"""


def main(aumenta):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def run(*args):
            subprocess.run([aumenta, *args], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        run("demo", "--smoke", "--out", "demo")
        run("split", "demo/cats-and-dogs.zip", "--out", "split", "--counts", "12,6,6")
        (folder / "config.toml").write_text(CONFIG)
        run("train", "--config", "config.toml")
        epochs = [json.loads(line) for line in (folder / "run/epochs.jsonl").read_text().splitlines()]
        between = [json.loads(line) for line in (folder / "run/validations.jsonl").read_text().splitlines()]
        events = EventAccumulator(str(folder / "run/tensorboard"))
        events.Reload()

    def check(tag, steps, values):
        scalars = events.Scalars(tag)
        assert [scalar.step for scalar in scalars] == steps, (tag, scalars, steps)
        for scalar, value in zip(scalars, values, strict=True):
            assert abs(scalar.value - value) <= 1e-6 * max(1, abs(value)), (tag, scalar, value)

    # 24 images in batches of 8 are 3 steps an epoch.
    ends = [3, 6, 9]
    for split in ("train", "validation"):
        for measure in ("loss", "accuracy"):
            records = [(step, record[split][measure]) for step, record in zip(ends, epochs, strict=True)]
            if split == "validation":
                records = sorted(records + [(record["step"], record["validation"][measure]) for record in between])
            check(f"{split}/{measure}", [step for step, _ in records], [value for _, value in records])
    assert [scalar.step for scalar in events.Scalars("batch/loss")] == list(range(1, 10))
    check("batch/learning-rate", list(range(1, 10)), [0.001] * 9)
    print(f"tensorboard reads {sum(len(events.Scalars(tag)) for tag in events.Tags()['scalars'])} scalars as they were logged")


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1]).resolve()))
