#!/usr/bin/env python3
"""Exported networks in onnxruntime against our own inference.

    pip install numpy onnx onnxruntime safetensors
    cargo build --release -p lotwise-nn --example onnx
    tools/check_onnx.py --ours target/release/examples/onnx models/kernelsynth models/encoder/encoder.safetensors [--seed 1] [--out docs/results/onnx.md]

Each network is exported, checked by onnx's own checker, and asked random and extreme questions: missing bars, features,
closes and fields, padding, single assets, windows and bars, five hundred assets. The exported file is given what is not a
number wherever a flag says that nothing is to be read (a feature, a bar, a field, an unknown scale, padding), our own
inference zeros. The largest absolute difference may be 1e-5; above it the script ends with 1.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file

BOUND = 1e-5


def shares(random, shape, share):
    return (random.random(shape) < share).astype(numpy.float32)


def encoder_questions(model, random):
    """Inputs by case. A flag that says «not there» hides rubbish."""
    sizes = {value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in model.graph.input}
    positions = next(tensor for tensor in model.graph.initializer if tensor.name == "market.position.newest_first")
    longest, features = positions.dims[0], sizes["values"][3]

    def question(days, assets, bars, gaps=0.1, young=0.0, padding=0, rubbish=numpy.nan, known=0.7, scaled=0.9):
        normal = lambda *shape: random.standard_normal(shape).astype(numpy.float32)
        present = numpy.ones((days, assets, bars), numpy.float32)
        for window in present.reshape(-1, bars)[random.random(days * assets) < young]:
            window[: random.integers(1, bars + 1)] = 0
        undefined = shares(random, (days, assets, bars, features), gaps)
        values = normal(days, assets, bars, features)
        values[(undefined > 0) | (present == 0)[..., None]] = rubbish
        keep = numpy.ones((days, assets), numpy.float32)
        if padding:
            keep[:, -padding:] = 0
        inputs = {"values": values, "undefined": undefined, "present": present, "keep": keep}
        if "temporal" in sizes:
            inputs["temporal"] = normal(days, assets, sizes["temporal"][2])
            inputs["statistics"] = normal(days, assets, sizes["statistics"][2])
            inputs["statistics_known"] = shares(random, (days, assets, 1), scaled)
            for name in ("temporal", "statistics"):
                inputs[name][inputs["statistics_known"][..., 0] == 0] = rubbish
        if "metadata" in sizes:
            inputs["available"] = shares(random, (days, assets, sizes["metadata"][2]), known)
            inputs["metadata"] = normal(days, assets, sizes["metadata"][2])
            inputs["metadata"][inputs["available"] == 0] = rubbish
        for name in ("values", "temporal", "statistics", "metadata"):
            if name in inputs:
                inputs[name][keep == 0] = rubbish
        return inputs

    none = question(2, 3, longest)
    none["present"][0, 1] = 0
    none["values"][0, 1] = numpy.nan
    large = question(1, 20, longest)
    large["values"] *= 8
    everything = {
        "one asset, whole window": question(1, 1, longest, 0),
        "one asset, one bar": question(1, 1, 1, 0),
        "ten assets": question(1, 10, longest, 0),
        "three days of 40 assets, gaps": question(3, 40, longest, 0.2, 0.3),
        "short windows": question(2, 30, 17, 0.1, 0.3),
        "young assets and padding": question(4, 25, longest, 0.1, 0.8, 7),
        "all assets are padding": question(1, 5, longest, 0.1, 0, 5),
        "a window without a bar": none,
        "no feature and no field is known": question(2, 12, longest, 1.0, known=0.0),
        "no scale is known": question(2, 12, longest, scaled=0.0),
        "features of eight deviations": large,
        "500 assets": question(1, 500, longest, 0.05, 0.1, 3),
    }
    return {"h_fused": everything}


def temporal_questions(model, random):
    def question(windows, bars, gaps=0.0, late=0.0, daily=0.02):
        logs = 4 + numpy.cumsum(daily * random.standard_normal((windows, bars)), axis=1)
        closes = numpy.exp(logs).astype(numpy.float32)
        closes[random.random((windows, bars)) < gaps] = numpy.nan
        for window in closes[random.random(windows) < late]:
            window[: random.integers(1, bars + 1)] = numpy.nan
        return {"closes": closes}

    odd = question(6, 60)
    odd["closes"][0] = numpy.nan
    odd["closes"][1, :-1] = numpy.nan
    odd["closes"][2] = 25.0
    odd["closes"][3, 10:20] = numpy.inf
    odd["closes"][4, 5] = 0.0
    odd["closes"][5, 30] = -1.0
    everything = {
        "one window of 60 closes": question(1, 60),
        "one close": question(1, 1),
        "16 and 17 closes": question(8, 17),
        "64 closes, gaps": question(40, 64, 0.2),
        "young assets": question(40, 60, 0.05, 0.7),
        "256 closes": question(20, 256),
        "longer than the context": question(5, 700, 0.1),
        "none, one, flat, infinite, zero, below zero": odd,
        "500 windows of 60": question(500, 60, 0.02, 0.1),
        "quiet and wild prices": {"closes": numpy.concatenate([question(20, 60, daily=daily)["closes"] for daily in (1e-4, 0.3)])},
    }
    return {"temporal": everything}


def check(ours, path, seed, folder):
    """Rows of the table, and the model's facts."""
    folder = pathlib.Path(folder)
    exported, asked, told = folder / "model.onnx", folder / "in.safetensors", folder / "out.safetensors"
    save_file({}, asked)
    subprocess.run([ours, path, exported, asked, told], check=True)
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    random = numpy.random.default_rng(seed)
    make = encoder_questions if any(value.name == "keep" for value in model.graph.input) else temporal_questions
    [(output, cases)] = make(model, random).items()
    # Our own inference wants zeros where nothing is to be read; a missing close is no such thing.
    plain = lambda name, array: array if name == "closes" else numpy.nan_to_num(array)
    questions = {f"{case}/{name}": plain(name, array) for case, inputs in cases.items() for name, array in inputs.items()}
    save_file({name: numpy.ascontiguousarray(array) for name, array in questions.items()}, asked)
    subprocess.run([ours, path, exported, asked, told], check=True)
    answers = load_file(told)
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    rows = []
    for case, inputs in cases.items():
        (found,) = session.run([output], inputs)
        wanted = answers[case]
        assert found.shape == wanted.shape, f"{case}: {found.shape} instead of {wanted.shape}"
        assert numpy.isfinite(found).all() and numpy.isfinite(wanted).all(), f"{case}: not finite"
        rows.append((case, wanted.shape, numpy.abs(wanted).max(initial=0), numpy.abs(found - wanted).max(initial=0)))
    if "values" in inputs:
        # A window longer than the network's has no answer, and must not get a wrong one.
        longer = {name: numpy.concatenate([array[:, :, :1], array], axis=2) if name in ("values", "undefined", "present") else array for name, array in cases["one asset, whole window"].items()}
        try:
            session.run([output], longer)
        except Exception:
            pass
        else:
            raise AssertionError("a window that is too long is answered")
    facts = f"{exported.stat().st_size / 1e6:.1f} MB, {len(model.graph.node)} operations, opset {model.opset_import[0].version}"
    return model.graph.name, facts, rows


def shown(path):
    """A model as the page names it: below `models`, or a run's."""
    parts = pathlib.Path(path).parts
    return "/".join(parts[parts.index("models") :]) if "models" in parts else "RUN/" + parts[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="encoders (files) and frozen branches (folders)")
    parser.add_argument("--ours", required=True, help="the built example")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="write the page here; without it, print it")
    options = parser.parse_args()
    lines, worst = [], 0.0
    for path in options.models:
        with tempfile.TemporaryDirectory() as folder:
            name, facts, rows = check(options.ours, path, options.seed, folder)
        lines += [f"## `{name}`", "", facts[0].upper() + facts[1:] + ".", "", "| case | answer | its largest number | largest difference |", "|---|---|--:|--:|"]
        for case, shape, largest, difference in rows:
            worst = max(worst, float(difference))
            lines.append(f"| {case} | {' × '.join(map(str, shape))} | {largest:.2f} | {difference:.1e} |")
        lines.append("")
    head = f"""# Exported networks in onnxruntime

By `tools/check_onnx.py --ours target/release/examples/onnx {' '.join(shown(path) for path in options.models)} --seed {options.seed}`
(onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}, processor alone): the same questions to the exported file and to our own inference, both in f32.
The bound is {BOUND:.0e}; the largest difference of all is **{worst:.1e}**. The exported encoder is given what is not a number wherever a flag
says that nothing is to be read, our own inference zeros, so that nothing leaks.
"""
    text = "\n".join([head, *lines]).rstrip() + "\n"
    if options.out:
        pathlib.Path(options.out).write_text(text)
    print(text)
    sys.exit(worst > BOUND)


if __name__ == "__main__":
    main()
