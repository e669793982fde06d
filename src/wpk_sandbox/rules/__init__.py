"""What is wrong with a package: findings, and the risk that they add up to."""
