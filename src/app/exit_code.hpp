#pragma once

// Exit codes of the program, as its --help lists them (named after sysexits.h).
namespace entrepot::exit_code {

inline constexpr int success = 0;
inline constexpr int failure = 1;         // could not start or run: the last line of the log says why
inline constexpr int incomplete = 3;      // done, but something is missing or damaged
inline constexpr int usage = 64;          // wrong arguments
inline constexpr int configuration = 78;  // wrong configuration

}  // namespace entrepot::exit_code
