#pragma once

#include "core/error.hpp"
#include "oci/names.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>

namespace entrepot {

// The uploads that a copy has begun at its target and not ended, by what they are named there: what a checkpoint keeps
// so that another run, anywhere, goes on. How far each is the target knows.
class CopyLedger {
public:
    static constexpr std::size_t most = 512;

    std::optional<std::string> place(const RepositoryName& into, const Digest& digest) const;
    void keep(const RepositoryName& into, const Digest& digest, std::string place);
    void forget(const RepositoryName& into, const Digest& digest);
    struct Entry {
        std::string repository;
        std::string digest;
        std::string place;
    };
    std::vector<Entry> entries() const;

    // [["project/app", "sha256:…", "place"], …]. parse() leaves out what it can't read: such a blob begins anew.
    boost::json::array json() const;
    static CopyLedger parse(const boost::json::array& json);

private:
    std::map<std::pair<std::string, std::string>, std::string> places_;  // by repository and digest
};

}  // namespace entrepot
