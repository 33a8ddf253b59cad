"""From a scene to radio maps through trained networks."""
