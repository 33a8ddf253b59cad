"""Decoupled diffusion: the process, its objectives and its samplers, as plain tensors."""
