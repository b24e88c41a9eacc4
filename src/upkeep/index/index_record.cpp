#include "upkeep/index/index_record.hpp"

#include "oci/json_fields.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

// The frame: magic, the payload's length, a check of the payload, a check of the sixteen bytes before; the payload: the
// length of its head, the head (JSON), bytes. Numbers are little-endian.
constexpr std::string_view magic{"EIX1", 4};
constexpr std::size_t checked_size = 16;
constexpr std::size_t frame_size = checked_size + 8;

constexpr std::array<std::string_view, 12> kinds{
    "segment",
    "position",
    "manifest",
    "manifest_gone",
    "tag",
    "tag_gone",
    "repository_gone",
    "repository_renamed",
    "project",
    "project_renamed",
    "project_gone",
    "name_given_up",
};

template <class Number>
void put_number(std::string& into, Number number)
{
    for (unsigned shift = 0; shift < sizeof(Number) * 8; shift += 8)
        into.push_back(static_cast<char>(number >> shift & 0xffU));
}

template <class Number>
Number number_at(std::string_view from)
{
    Number number = 0;
    for (std::size_t index = 0; index < sizeof(Number); ++index)
        number |= static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(from[index])) << (8 * index));
    return number;
}

// FNV-1a: against torn and flipped bytes, not against people.
std::uint64_t check_of(std::string_view text)
{
    std::uint64_t check = 0xcbf29ce484222325U;
    for (const char letter : text) check = (check ^ static_cast<unsigned char>(letter)) * 0x100000001b3U;
    return check;
}

// The whole frame at the front of `text`; empty where there is none.
std::string_view frame_at(std::string_view text)
{
    if (text.size() < frame_size || !text.starts_with(magic)) return {};
    if (number_at<std::uint64_t>(text.substr(checked_size)) != check_of(text.substr(0, checked_size))) return {};
    const std::size_t length = number_at<std::uint32_t>(text.substr(magic.size()));
    if (length > text.size() - frame_size) return {};
    const auto payload = text.substr(frame_size, length);
    if (number_at<std::uint64_t>(text.substr(magic.size() + 4)) != check_of(payload)) return {};
    return text.substr(0, frame_size + length);
}

std::optional<std::int64_t> find_number(const json::object& object, std::string_view key)
{
    const auto* value = object.if_contains(key);
    if (!value || !value->is_int64()) return std::nullopt;
    return value->get_int64();
}

std::optional<IndexRecord> record_of(std::string_view payload)
{
    if (payload.size() < 4) return std::nullopt;
    const std::size_t length = number_at<std::uint32_t>(payload);
    payload.remove_prefix(4);
    if (length > payload.size()) return std::nullopt;
    const auto head = parse_object(payload.substr(0, length));
    if (!head) return std::nullopt;
    IndexRecord record;
    const auto kind = find_text(*head, "kind");
    std::size_t place = 0;
    while (place < kinds.size() && kinds[place] != kind) ++place;
    const auto sequence = find_number(*head, "sequence");
    const auto at = find_number(*head, "at");
    if (place == kinds.size() || !sequence || !at) return std::nullopt;
    record.kind = static_cast<IndexRecord::Kind>(place);
    record.sequence = *sequence;
    record.at = *at;
    record.name = find_text(*head, "name");
    record.into = find_text(*head, "into");
    record.tag = find_text(*head, "tag");
    record.digest = find_text(*head, "digest");
    record.media_type = find_text(*head, "media_type");
    record.user_id = find_number(*head, "user").value_or(0);
    const auto* flag = head->if_contains("flag");
    record.flag = flag && flag->is_bool() && flag->get_bool();
    record.bytes = payload.substr(length);
    return record;
}

}  // namespace

void append_record(std::string& segment, const IndexRecord& record)
{
    json::object head{
        {"kind", kinds.at(static_cast<std::size_t>(record.kind))}, {"sequence", record.sequence}, {"at", record.at}
    };
    const auto put = [&head](const char* key, const std::string& text) {
        if (!text.empty()) head[key] = text;
    };
    put("name", record.name);
    put("into", record.into);
    put("tag", record.tag);
    put("digest", record.digest);
    put("media_type", record.media_type);
    if (record.user_id != 0) head["user"] = record.user_id;
    if (record.flag) head["flag"] = true;
    const auto text = json::serialize(head);
    std::string payload;
    payload.reserve(4 + text.size() + record.bytes.size());
    put_number(payload, static_cast<std::uint32_t>(text.size()));
    payload += text;
    payload += record.bytes;
    const auto start = segment.size();
    segment += magic;
    put_number(segment, static_cast<std::uint32_t>(payload.size()));
    put_number(segment, check_of(payload));
    put_number(segment, check_of(std::string_view{segment}.substr(start)));
    segment += payload;
}

std::optional<IndexRecord> IndexReader::next()
{
    std::uint64_t passed = 0;
    while (!rest_.empty()) {
        if (const auto frame = frame_at(rest_); !frame.empty()) {
            auto record = record_of(frame.substr(frame_size));
            rest_.remove_prefix(frame.size());
            if (record) {
                damaged_ += passed;
                return record;
            }
            passed += frame.size();
            continue;
        }
        const auto found = rest_.find(magic, 1);
        const auto skipped = found == std::string_view::npos ? rest_.size() : found;
        passed += skipped;
        rest_.remove_prefix(skipped);
    }
    torn_ += passed;
    return std::nullopt;
}

}  // namespace entrepot
