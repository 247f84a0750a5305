"""Packages: layouts, manifests, digests, and what is refused."""
