#include "events/audit/repeated_notes.hpp"

#include <algorithm>

namespace entrepot {
namespace {

// Who, from where, what, on what, with what result.
std::string note_key(const AuditRecord& record)
{
    std::string key = std::to_string(record.user_id);
    for (const auto* part :
         {&record.user,
          &record.client,
          &record.operation,
          &record.resource_type,
          &record.resource,
          &record.result,
          &record.detail}) {
        key += '\0';
        key += *part;
    }
    return key;
}

}  // namespace

RepeatedNotes::Verdict RepeatedNotes::note(const AuditRecord& record)
{
    auto key = note_key(record);
    const std::scoped_lock lock{mutex_};
    const auto known = entries_.find(key);
    if (known != entries_.end()) {
        known->second.count += record.count;
        known->second.record.at = record.at;
        return Verdict::repeated;
    }
    if (entries_.size() >= capacity) return Verdict::dropped;
    entries_.emplace(std::move(key), Entry{record, 0});
    return Verdict::first;
}

RepeatedNotes::Verdict RepeatedNotes::gather(AuditRecord record)
{
    auto key = note_key(record);
    const std::scoped_lock lock{mutex_};
    auto known = entries_.find(key);
    if (known == entries_.end()) {
        if (entries_.size() >= capacity) return Verdict::dropped;
        known = entries_.emplace(std::move(key), Entry{std::move(record), 0}).first;
        known->second.count = known->second.record.count;
        return Verdict::first;
    }
    known->second.count += record.count;
    known->second.record.at = record.at;
    return Verdict::repeated;
}

std::vector<AuditRecord> RepeatedNotes::take()
{
    std::unordered_map<std::string, Entry> entries;
    {
        const std::scoped_lock lock{mutex_};
        entries.swap(entries_);
    }
    std::vector<AuditRecord> records;
    for (auto& [key, entry] : entries) {
        if (entry.count == 0) continue;
        entry.record.count = entry.count;
        records.push_back(std::move(entry.record));
    }
    std::ranges::sort(records, {}, &AuditRecord::at);
    return records;
}

}  // namespace entrepot
