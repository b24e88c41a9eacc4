#pragma once

#include "core/run_to_end.hpp"
#include "oci/names.hpp"

#include <string_view>
#include <utility>

// What tests of copies and replication say most.
namespace entrepot {

template <class T>
Result<T> run(Task<T> task)
{
    return run_to_end(std::move(task));
}

inline RepositoryName name(std::string_view text)
{
    return RepositoryName::parse(text).value();
}

inline Reference tagged(std::string_view text)
{
    return Reference{Tag::parse(text).value()};
}

}  // namespace entrepot
