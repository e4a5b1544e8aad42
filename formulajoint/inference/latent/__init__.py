"""The parameters phi, which are not integrated out, and the device that computes."""
