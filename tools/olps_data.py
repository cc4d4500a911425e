"""Turns the data sets of the OLPS toolbox (MATLAB files) into CSV of price relatives.

    pip install scipy h5py
    python tools/olps_data.py OLPS/Data relatives/
"""

import pathlib
import sys

import h5py
import numpy
import scipy.io


def read(path: pathlib.Path) -> numpy.ndarray:
    """Price relatives, sessions by row; files of MATLAB 7.3 are HDF5 with the axes swapped."""
    try:
        return scipy.io.loadmat(path)["data"]
    except NotImplementedError:
        return numpy.array(h5py.File(path)["data"]).T


def main() -> None:
    source, target = (pathlib.Path(argument) for argument in sys.argv[1:3])
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*.mat")):
        relatives = read(path)
        numpy.savetxt(target / f"{path.stem}.csv", relatives, delimiter=",", fmt="%.17g")
        print(path.stem, relatives.shape)


if __name__ == "__main__":
    main()
