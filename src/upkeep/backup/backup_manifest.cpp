#include "upkeep/backup/backup_manifest.hpp"

#include "oci/digest.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t format = 1;
constexpr std::string_view hash_member = ",\"hash\":\"";

bool is_hex_digit(char letter) noexcept
{
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}

json::array json_of(const std::vector<std::string>& texts)
{
    json::array array;
    for (const auto& text : texts) array.emplace_back(text);
    return array;
}

// Numbers and texts of a manifest; whatever isn't what it should be makes the whole damaged.
class Fields {
public:
    explicit Fields(const json::object& object) noexcept : object_{object} {}

    template <class Number>
    void number(std::string_view key, Number& into)
    {
        const auto* value = object_.if_contains(key);
        json::error_code wrong;
        if (value) into = value->to_number<Number>(wrong);
        is_whole = is_whole && value && !wrong;
    }
    void text(std::string_view key, std::string& into)
    {
        const auto* value = object_.if_contains(key);
        if (value && value->is_string())
            into = value->get_string();
        else
            is_whole = false;
    }
    template <class Fits>
    void texts(std::string_view key, std::vector<std::string>& into, Fits fits)
    {
        const auto* array = find_array(object_, key);
        if (!array) return void(is_whole = false);
        for (const auto& value : *array) {
            if (!value.is_string() || !fits(value.get_string())) return void(is_whole = false);
            into.emplace_back(value.get_string());
        }
    }
    // Each member of an object of objects.
    template <class Read>
    void members(std::string_view key, Read read)
    {
        const auto* members = find_object(object_, key);
        if (!members) return void(is_whole = false);
        for (const auto& member : *members) {
            if (!member.value().is_object()) return void(is_whole = false);
            Fields fields{member.value().get_object()};
            read(std::string{member.key()}, fields);
            is_whole = is_whole && fields.is_whole;
        }
    }

    bool is_whole = true;

private:
    const json::object& object_;
};

bool is_digest(std::string_view text)
{
    return Digest::parse(text).has_value();
}

// Below the directory that it is restored to, and nowhere else.
bool is_kept_path(std::string_view path)
{
    if (path == "instance" || path == "master.key") return true;
    if (!path.starts_with("audit/") || path.ends_with('/')) return false;
    return path.find("..") == std::string_view::npos && path.find("//") == std::string_view::npos &&
           path.find('\0') == std::string_view::npos;
}

std::unexpected<Error> damaged()
{
    return fail(Errc::corrupt, "the backup's manifest is damaged");
}

void read_tables(Fields& fields, BackupManifest& manifest)
{
    fields.members("tables", [&](const std::string& name, Fields& of) {
        auto& table = manifest.tables[name];
        of.number("rows", table.rows);
        of.texts("chunks", table.chunks, is_chunk_hash);
    });
    fields.members("files", [&](const std::string& path, Fields& of) {
        auto& file = manifest.files[path];
        of.number("size", file.size);
        of.texts("chunks", file.chunks, is_chunk_hash);
        of.is_whole = of.is_whole && is_kept_path(path);
    });
    fields.members("given_ids", [&](const std::string& table, Fields& of) {
        of.number("highest", manifest.given_ids[table]);
    });
}

Result<BackupManifest> read_manifest(const json::object& object)
{
    BackupManifest manifest;
    Fields fields{object};
    std::int64_t written_in = 0;
    fields.number("format", written_in);
    if (fields.is_whole && written_in > format)
        return fail(Errc::unsupported, "the backup was written by a newer program");
    fields.text("id", manifest.id);
    fields.text("program", manifest.program);
    fields.text("engine", manifest.engine);
    fields.number("schema_version", manifest.schema_version);
    fields.number("started_at", manifest.started_at);
    fields.number("snapshot_at", manifest.snapshot_at);
    fields.number("ended_at", manifest.ended_at);
    fields.text("master_key", manifest.master_key);
    read_tables(fields, manifest);
    const auto* blobs = find_object(object, "blobs");
    const auto* written = find_object(object, "written");
    if (!blobs || !written) return damaged();
    Fields of_blobs{*blobs};
    of_blobs.number("count", manifest.blobs.count);
    of_blobs.number("bytes", manifest.blobs.bytes);
    of_blobs.texts("missing", manifest.blobs.missing, is_digest);
    Fields of_written{*written};
    of_written.number("chunks", manifest.written.chunks);
    of_written.number("chunk_bytes", manifest.written.chunk_bytes);
    of_written.number("blobs", manifest.written.blobs);
    of_written.number("blob_bytes", manifest.written.blob_bytes);
    if (const auto* journal = find_object(object, "journal")) {
        Fields of_journal{*journal};
        auto& place = manifest.journal.emplace();
        of_journal.number("segment", place.segment);
        of_journal.number("sequence", place.sequence);
        fields.is_whole = fields.is_whole && of_journal.is_whole;
    }
    if (!fields.is_whole || !of_blobs.is_whole || !of_written.is_whole || !is_backup_id(manifest.id)) return damaged();
    return manifest;
}

}  // namespace

bool is_chunk_hash(std::string_view text) noexcept
{
    return text.size() == 64 && std::ranges::all_of(text, is_hex_digit);
}

bool is_backup_id(std::string_view text) noexcept
{
    if (text.size() != 25 || text[8] != 'T' || text[15] != 'Z' || text[16] != '-') return false;
    const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
    return std::ranges::all_of(text.substr(0, 8), is_digit) && std::ranges::all_of(text.substr(9, 6), is_digit) &&
           std::ranges::all_of(text.substr(17), is_hex_digit);
}

std::string backup_name(std::string_view id)
{
    return "backups/" + std::string{id} + ".json";
}

std::string chunk_name(std::string_view hex)
{
    return "chunks/" + std::string{hex.substr(0, 2)} + '/' + std::string{hex};
}

std::string blob_name(std::string_view digest)
{
    const auto colon = digest.find(':');
    const auto hex = digest.substr(colon + 1);
    return "blobs/" + std::string{digest.substr(0, colon)} + '/' + std::string{hex.substr(0, 2)} + '/' +
           std::string{hex};
}

std::string BackupManifest::json() const
{
    json::object object{
        {"format", format},
        {"id", id},
        {"program", program},
        {"engine", engine},
        {"schema_version", schema_version},
        {"started_at", started_at},
        {"snapshot_at", snapshot_at},
        {"ended_at", ended_at},
        {"started", rfc3339(started_at)},
        {"complete", is_complete()},
        {"master_key", master_key},
    };
    object["blobs"] = json::object{{"count", blobs.count}, {"bytes", blobs.bytes}, {"missing", json_of(blobs.missing)}};
    object["written"] = json::object{
        {"chunks", written.chunks},
        {"chunk_bytes", written.chunk_bytes},
        {"blobs", written.blobs},
        {"blob_bytes", written.blob_bytes}
    };
    if (journal) object["journal"] = json::object{{"segment", journal->segment}, {"sequence", journal->sequence}};
    json::object given;
    for (const auto& [table, highest] : given_ids) given[table] = json::object{{"highest", highest}};
    object["given_ids"] = std::move(given);
    json::object kept;
    for (const auto& [path, file] : files)
        kept[path] = json::object{{"size", file.size}, {"chunks", json_of(file.chunks)}};
    object["files"] = std::move(kept);
    json::object rows;
    for (const auto& [name, table] : tables)
        rows[name] = json::object{{"rows", table.rows}, {"chunks", json_of(table.chunks)}};
    object["tables"] = std::move(rows);
    auto text = json::serialize(object);
    text.pop_back();
    const auto hash = digest_of(text);
    return text + std::string{hash_member} + std::string{hash.hex()} + "\"}\n";
}

Result<BackupManifest> BackupManifest::parse(std::string_view text)
{
    const auto hashed = text.rfind(hash_member);
    if (hashed == std::string_view::npos) return damaged();
    const auto wanted = std::string{hash_member} + std::string{digest_of(text.substr(0, hashed)).hex()} + "\"}\n";
    if (text.substr(hashed) != wanted) return damaged();
    const auto object = parse_object(text);
    if (!object) return damaged();
    return read_manifest(*object);
}

}  // namespace entrepot
