import os

from replication.parallel.environment import prepare

prepare(os.environ)  # here, because MPI starts as soon as replication.parallel.mpi is imported
