"""Run as a program by test_devices.py: prints value and gradient of a log density through the whole model, as
JSON."""

import json

import jax
from test_model_derivatives import problem

from galactions.inference.posterior import problem_target

target = problem_target(problem("multinomial"))
values = target.problem.free.start
value, gradient = target.value_and_gradient(target.from_values(values))
print(json.dumps({"devices": len(jax.devices()), "value": value, "gradient": gradient.tolist()}))
