"""Targets whose moments and evidence are known exactly."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Squares:
    """ln pi = -sum of squared features / 2, with features that are functions of u."""

    names: tuple[str, ...]

    def residuals(self, u):
        raise NotImplementedError

    def residual_slopes(self, u):
        raise NotImplementedError

    def log_density(self, u):
        return -0.5 * float(np.sum(self.residuals(u) ** 2))

    def value_and_gradient(self, u):
        return self.log_density(u), -self.residuals(u) @ self.residual_slopes(u)

    def curvature(self, u):
        slopes = self.residual_slopes(u)
        return slopes.T @ slopes

    def to_values(self, u):
        return u

    def features(self, u):
        return self.residuals(u)

    def feature_slopes(self, u):
        return self.residual_slopes(u)

    def log_density_of(self, features, u):
        return -0.5 * np.sum(features**2, axis=-1)

    def log_density_and_gradients_of(self, features, u):
        return self.log_density_of(features, u), -features, np.zeros_like(u)

    def curvature_of(self, features, feature_slopes, u):
        return feature_slopes.T @ feature_slopes

    def pooled(self, features):
        return features

    differentiable = True


class Normal(Squares):
    """A normal target: mean 1, 2, ..., standard deviations 1, 1/2, ..., all pairs correlated by 0.8."""

    def __init__(self, n):
        super().__init__(tuple(f"x{i}" for i in range(n)))
        size = 1.0 / np.arange(1, n + 1)
        covariance = (0.2 * np.eye(n) + 0.8) * np.outer(size, size)
        object.__setattr__(self, "mean", np.arange(1.0, n + 1))
        object.__setattr__(self, "covariance", covariance)
        object.__setattr__(self, "root", np.linalg.inv(np.linalg.cholesky(covariance)))

    @property
    def log_evidence(self):
        n = len(self.names)
        return 0.5 * (n * np.log(2 * np.pi) + np.linalg.slogdet(self.covariance)[1])

    def residuals(self, u):
        return self.root @ (u - self.mean)

    def residual_slopes(self, u):
        return self.root


class Banana(Squares):
    """x ~ N(0, 1), y ~ N(bend (x^2 - 1), width^2), z ~ N(0, 1): mean (0, 0, 0), variances 1,
    2 bend^2 + width^2, 1, third moment E[x^2 y] = 2 bend, and the evidence of a normal of its width."""

    bend, width = 0.5, 0.5

    def __init__(self):
        super().__init__(("x", "y", "z"))

    @property
    def log_evidence(self):
        return 1.5 * np.log(2 * np.pi) + np.log(self.width)

    def residuals(self, u):
        x, y, z = u
        return np.array([x, (y - self.bend * (x**2 - 1.0)) / self.width, z])

    def residual_slopes(self, u):
        down = -2.0 * self.bend * u[0] / self.width
        return np.array([[1.0, 0.0, 0.0], [down, 1.0 / self.width, 0.0], [0.0, 0.0, 1.0]])
