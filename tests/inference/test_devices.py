"""One model on several devices, which JAX makes of the processor here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.mark.slow
def test_a_model_on_several_devices_is_that_on_one():
    program = Path(__file__).with_name("gradient_on_devices.py")
    one, two = (
        json.loads(
            subprocess.run(
                [sys.executable, str(program)],
                env={**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={n}"},
                check=True,
                capture_output=True,
            ).stdout
        )
        for n in "12"
    )
    assert [one["devices"], two["devices"]] == [1, 2]
    assert two["value"] == pytest.approx(one["value"], rel=1e-12)
    np.testing.assert_allclose(two["gradient"], one["gradient"], rtol=1e-9)
