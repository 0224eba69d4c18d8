"""Programs side by side: at the same time, in order, and one after another where JAX traces."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

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
