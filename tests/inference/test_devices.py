"""One model on several devices, which JAX makes of the processor here."""

from pathlib import Path

import numpy as np
import pytest


@pytest.mark.slow
def test_a_model_on_several_devices_is_that_on_one(printed_on_devices):
    program = Path(__file__).with_name("gradient_on_devices.py")
    one, two = (printed_on_devices(program, n) for n in (1, 2))
    assert [one["devices"], two["devices"]] == [1, 2]
    assert two["value"] == pytest.approx(one["value"], rel=1e-12)
    np.testing.assert_allclose(two["gradient"], one["gradient"], rtol=1e-9)
