"""Plans made better while there is time: solvers and local search."""
