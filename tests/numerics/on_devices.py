"""Run as a program by test_together.py: prints the devices that calls were made on, forwards and backwards,
and what came of them, as JSON."""

import json

import jax
import jax.numpy as jnp

from galactions.numerics.program import program, reverse_mode
from galactions.numerics.together import together

used: dict[str, list[int]] = {"forwards": [], "backwards": [], "results": []}


def ids(*arrays: jax.Array) -> list[int]:
    return [device.id for array in arrays for device in array.devices()]


@jax.custom_vjp
def watched(x):
    return jnp.sin(x)


def forward(x):
    used["forwards"] += ids(x)
    return jnp.sin(x), x


def backward(x, by_result):
    used["backwards"] += ids(by_result)
    return (jnp.cos(x) * by_result,)


watched.defvjp(forward, backward)


@program()
def scaled(x, factor):
    return {"scaled": x * factor, "factor": factor}


def part(x, factor, k):
    return k * scaled(watched(x), factor)["scaled"]


def whole(x, factor):
    return jnp.concatenate(together(part, ((each, factor, k + 1) for k, each in enumerate(jnp.split(x, 4)))))


if __name__ == "__main__":
    # Committed to a device, as results of earlier calls are.
    x, factor = (jax.device_put(a, jax.devices()[0]) for a in (jnp.arange(8.0), jnp.full(2, 3.0)))
    plain = whole(x, factor)
    with reverse_mode():
        value, pull = jax.vjp(lambda x: whole(x, factor), x)
    (slope,) = pull(jnp.ones(8))
    used["results"] += ids(plain, value, slope)
    last = jax.devices()[-1]
    with jax.default_device(last):
        chosen = together(lambda k: jnp.arange(k), [(1,), (2,)])
    print(
        json.dumps(
            {
                **used,
                "chosen": ids(*chosen),
                "plain": plain.tolist(),
                "value": value.tolist(),
                "slope": slope.tolist(),
            }
        )
    )
