// Nothing: CMake compiles the headers of CMakeLists.txt once, for this file and for all others.
