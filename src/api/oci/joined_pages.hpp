#pragma once

#include "ports/manifest_catalog.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// The same page of several lists as one page of the list of all, in the order of keys, each key once: of those that are
// in several the one that was added first. Not safe from several threads.
template <class T>
class JoinedPages {
public:
    explicit JoinedPages(PageRequest page) : page_{std::move(page)} {}

    // `key_of`: the text that names an entry. `more`: that list goes on beyond this page.
    template <class KeyOf>
    void add(std::vector<T> page, bool more, KeyOf key_of)
    {
        std::string last;
        for (auto& entry : page) {
            const std::string& key = key_of(entry);
            last = std::max(last, key);
            // Upstreams that know no pages begin anew each time.
            if (key > page_.last) entries_.try_emplace(key, std::move(entry));
        }
        // Behind its last entry there may be others that belong between those of other lists.
        if (more && !page.empty() && (!known_to_ || last < *known_to_)) known_to_ = std::move(last);
        more_ = more_ || more;
    }

    struct Page {
        std::vector<T> entries;
        bool more = false;
    };
    Page take()
    {
        Page page;
        for (auto& [key, entry] : entries_) {
            const bool full = static_cast<std::int64_t>(page.entries.size()) >= page_.limit;
            if (full || (known_to_ && key > *known_to_)) {
                page.more = true;
                return page;
            }
            page.entries.push_back(std::move(entry));
        }
        page.more = more_;
        return page;
    }

private:
    const PageRequest page_;
    std::map<std::string, T> entries_;
    std::optional<std::string> known_to_;  // up to this key every list is here
    bool more_ = false;
};

}  // namespace entrepot
