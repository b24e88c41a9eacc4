#include "exchange/copy/copy_ledger.hpp"

#include <boost/json/value.hpp>

namespace entrepot {

namespace json = boost::json;

std::optional<std::string> CopyLedger::place(const RepositoryName& into, const Digest& digest) const
{
    const auto found = places_.find({into.text(), digest.text()});
    return found == places_.end() ? std::nullopt : std::optional{found->second};
}

void CopyLedger::keep(const RepositoryName& into, const Digest& digest, std::string place)
{
    places_.insert_or_assign({into.text(), digest.text()}, std::move(place));
}

void CopyLedger::forget(const RepositoryName& into, const Digest& digest)
{
    places_.erase({into.text(), digest.text()});
}

std::vector<CopyLedger::Entry> CopyLedger::entries() const
{
    std::vector<Entry> all;
    for (const auto& [key, place] : places_) all.push_back({key.first, key.second, place});
    return all;
}

json::array CopyLedger::json() const
{
    json::array list;
    for (const auto& [key, place] : places_) {
        if (list.size() == most) break;
        list.push_back(json::array{json::value(key.first), json::value(key.second), json::value(place)});
    }
    return list;
}

CopyLedger CopyLedger::parse(const json::array& list)
{
    CopyLedger ledger;
    for (const auto& entry : list) {
        const auto* fields = entry.if_array();
        if (fields == nullptr || fields->size() != 3 || ledger.places_.size() == most) continue;
        const auto* repository = (*fields)[0].if_string();
        const auto* digest = (*fields)[1].if_string();
        const auto* place = (*fields)[2].if_string();
        if (repository == nullptr || digest == nullptr || place == nullptr) continue;
        ledger.places_.insert_or_assign({std::string{*repository}, std::string{*digest}}, std::string{*place});
    }
    return ledger;
}

}  // namespace entrepot
