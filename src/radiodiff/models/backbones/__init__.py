"""Encoders of the condition: features at strides 4, 8, 16 and 32."""
