#pragma once

#include "core/error.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace entrepot {

// What ends a start, in words for the operator.
inline std::runtime_error start_failure(std::string_view doing, const Error& error)
{
    const auto detail = error.detail().empty() ? std::string{} : " (" + error.detail() + ")";
    return std::runtime_error{std::string{doing} + ": " + error.message() + detail};
}

}  // namespace entrepot
