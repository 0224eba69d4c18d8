"""Programs side by side: at the same time, in order, and one after another where JAX traces."""

import threading
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from galactions.numerics.program import reverse_mode
from galactions.numerics.together import together


def test_calls_are_made_at_the_same_time_and_told_in_order():
    both_there = threading.Barrier(2, timeout=20)

    def call(number):
        both_there.wait()
        return number

    assert together(call, [(1,), (2,)]) == [1, 2]


def test_more_calls_than_threads():
    assert together(pow, ((k, 2) for k in range(20))) == [k**2 for k in range(20)]
    assert together(pow, []) == []


def test_calls_within_calls_do_not_wait_for_each_other():
    def outer(k):
        return together(lambda j: 10 * k + j, [(0,), (1,), (2,)])

    assert together(outer, ((k,) for k in range(4))) == [[10 * k + j for j in range(3)] for k in range(4)]


def test_what_a_call_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        together(divmod, [(1, 1), (1, 0)])
    assert together(divmod, [(3, 2), (5, 3)]) == [(1, 1), (1, 2)]


def test_within_a_traced_function_it_is_that_function():
    def halves(x):
        return jnp.concatenate(together(jnp.sin, ((half,) for half in jnp.split(x, 2))))

    x = jnp.arange(4.0)
    for function in (halves, jax.jit(halves)):
        np.testing.assert_allclose(function(x), np.sin(x), rtol=1e-15)
    slope = jax.grad(lambda x: jnp.sum(halves(x)))(x)
    np.testing.assert_allclose(slope, np.cos(x), rtol=1e-15)


def test_in_reverse_mode_ways_back_are_at_the_same_time():
    both_there = threading.Barrier(2, timeout=20)

    @jax.custom_vjp
    def sine(x):
        return jnp.sin(x)

    def back(x, by_result):
        both_there.wait()
        return (jnp.cos(x) * by_result,)

    sine.defvjp(lambda x: (jnp.sin(x), x), back)

    def halves(x, factor):
        return jnp.concatenate(
            together(lambda half, k: factor * k * sine(half), zip(jnp.split(x, 2), (1, 2), strict=True))
        )

    x, k = jnp.arange(4.0), np.array([1, 1, 2, 2])
    with reverse_mode():
        result, pull = jax.vjp(lambda x: halves(x, 3.0), x)
    np.testing.assert_allclose(result, 3 * k * np.sin(x), rtol=1e-15)
    np.testing.assert_allclose(pull(jnp.ones(4))[0], 3 * k * np.cos(x), rtol=1e-15)


def test_in_reverse_mode_what_a_call_raises_is_raised():
    def halves(x):
        return sum(together(lambda a, k: a / k, [(x, 1), (x, "one")]))

    with reverse_mode(), pytest.raises(TypeError):
        jax.vjp(halves, 2.0)


def test_several_devices_are_used_in_turn(printed_on_devices):
    """The calls and their results are those of one device."""
    program = Path(__file__).with_name("on_devices.py")
    one, three = (printed_on_devices(program, n) for n in (1, 3))
    for name in ("plain", "value", "slope"):
        assert one[name] == three[name]
    assert one["forwards"] == one["backwards"] == [0] * 4
    for way in ("forwards", "backwards"):
        assert sorted(three[way]) == [0, 0, 1, 2]
    assert three["results"] == [0, 0, 0]
    assert three["chosen"] == [2, 2]
    k = np.repeat([1, 2, 3, 4], 2)
    np.testing.assert_allclose(three["plain"], 3 * k * np.sin(np.arange(8)), rtol=1e-15)
    np.testing.assert_allclose(three["slope"], 3 * k * np.cos(np.arange(8)), rtol=1e-15)
