"""Measurements that print figures and assert nothing; docs/performance.md keeps the last ones."""
