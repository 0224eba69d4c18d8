"""Numerical tools that know nothing of galaxies: splines, quadrature rules, roots."""
