"""Delivery data: pages of messages become one checked partition a day, and a report."""
