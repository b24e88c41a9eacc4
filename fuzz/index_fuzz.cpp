// The journal of the index beside the blobs: whatever a segment holds, reading it ends, every byte of it is accounted
// for, and the records that are found are found again in a segment that is written of them.
#include "upkeep/index/index_record.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    IndexReader reader{text};
    std::vector<IndexRecord> found;
    std::string again;
    while (auto record = reader.next()) {
        append_record(again, *record);
        found.push_back(*std::move(record));
    }
    if (reader.damaged() + reader.torn() > size) std::abort();
    IndexReader second{again};
    for (const auto& record : found)
        if (second.next() != record) std::abort();
    if (second.next() || second.damaged() + second.torn() > 0) std::abort();
    return 0;
}
