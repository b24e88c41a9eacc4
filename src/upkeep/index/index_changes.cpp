#include "upkeep/index/index_changes.hpp"

#include "oci/json_fields.hpp"

#include <boost/json/array.hpp>

#include <optional>
#include <string_view>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_batch = 8U << 20U;

std::string named_now(std::string name, std::int64_t sequence, const std::vector<IndexRename>& renames)
{
    for (const auto& rename : renames) {
        if (rename.sequence <= sequence) continue;
        if (name == rename.from)
            name = rename.into;
        else if (rename.of_project && name.starts_with(rename.from + '/'))
            name.replace(0, rename.from.size(), rename.into);
    }
    return name;
}

// Of a push objects with names, of a removal names.
std::vector<std::string> tags_of(const Event& event)
{
    std::vector<std::string> tags;
    if (!event.tag.empty()) tags.push_back(event.tag);
    const auto details = parse_object(event.details);
    const auto* list = details ? find_array(*details, "tags") : nullptr;
    if (!list) return tags;
    for (const auto& entry : *list) {
        if (entry.is_string()) tags.emplace_back(entry.get_string());
        if (entry.is_object()) tags.emplace_back(find_text(entry.get_object(), "name"));
    }
    return tags;
}

// The former name that a project keeps no longer; else empty.
std::string given_up(const Event& event)
{
    if (event.type != event_type::project_updated) return {};
    const auto details = parse_object(event.details);
    return details ? std::string{find_text(*details, "former_name")} : std::string{};
}

bool is_unknown(const Error& error)
{
    return error.code() == Errc::manifest_unknown || error.code() == Errc::name_unknown;
}

}  // namespace

class IndexChanges::Batch {
public:
    Batch(IndexChanges& of, const std::vector<IndexRename>& renames) : of_{of}, renames_{renames} {}

    Task<> add(const Event& event)
    {
        using namespace event_type;
        if (const auto rename = rename_of(event)) {
            const auto kind =
                rename->of_project ? IndexRecord::Kind::project_renamed : IndexRecord::Kind::repository_renamed;
            put_done(record(kind, event, rename->from), rename->into);
        } else if (event.type == repository_deleted) {
            put_done(record(IndexRecord::Kind::repository_gone, event, event.repository));
        } else if (event.type == project_deleted) {
            put_done(record(IndexRecord::Kind::project_gone, event, event.project));
        } else if (auto former = given_up(event); !former.empty()) {
            put_done(record(IndexRecord::Kind::name_given_up, event, event.project), std::move(former));
        } else if (event.type == project_created || event.type == project_updated) {
            co_return co_await add_project(event);
        } else if (event.type == artifact_deleted) {
            auto gone = record(IndexRecord::Kind::manifest_gone, event, event.repository);
            gone.digest = event.digest;
            put_done(std::move(gone));
            co_return co_await add_content(event);
        } else if (event.type == artifact_pushed || event.type == artifact_copied || event.type == artifact_restored ||
                   event.type == tag_created || event.type == tag_deleted) {
            co_return co_await add_content(event);
        }
        co_return Result<>{};
    }

    std::string& bytes() noexcept { return bytes_; }

private:
    static IndexRecord record(IndexRecord::Kind kind, const Event& event, std::string name)
    {
        IndexRecord made{.kind = kind, .sequence = event.sequence, .at = event.at, .name = std::move(name)};
        made.user_id = event.user_id;
        return made;
    }

    void put_done(IndexRecord made, std::string into = {})
    {
        made.into = std::move(into);
        append_record(bytes_, made);
    }

    Task<> add_project(const Event& event)
    {
        const auto name = ProjectName::parse(named_now(event.project, event.sequence, renames_));
        if (!name) co_return Result<>{};
        const auto project = co_await of_.projects_.find(*name);
        if (!project && !is_unknown(project.error())) co_return std::unexpected{project.error()};
        auto made = record(IndexRecord::Kind::project, event, event.project);
        if (project) {
            made.user_id = project->owner_id;
            made.flag = project->is_public;
        } else if (event.type == event_type::project_updated) {
            co_return Result<>{};
        }
        // Its removal comes; until then something may be moved there.
        append_record(bytes_, made);
        co_return Result<>{};
    }

    Task<> add_content(const Event& event)
    {
        const auto repository = RepositoryName::parse(named_now(event.repository, event.sequence, renames_));
        if (!repository) co_return Result<>{};
        // Not what an earlier event has said as well: a snapshot may stand between the two.
        known_.clear();
        if (!event.digest.empty()) {
            CO_TRY(const auto reference, Reference::parse(event.digest));
            CO_TRY(const auto found, co_await look(*repository, reference));
            if (found) put_manifest(event, *found);
        }
        for (const auto& tag : tags_of(event)) {
            if (!known_.insert(tag).second) continue;
            const auto reference = Reference::parse(tag);
            if (!reference || !reference->tag()) continue;
            CO_TRY(const auto found, co_await look(*repository, *reference));
            if (found) put_manifest(event, *found);
            auto made = record(found ? IndexRecord::Kind::tag : IndexRecord::Kind::tag_gone, event, event.repository);
            made.tag = tag;
            if (found) made.digest = (*found)->digest.text();
            append_record(bytes_, made);
        }
        co_return Result<>{};
    }

    // A null pointer: it is not there.
    Task<std::optional<ManifestPtr>> look(RepositoryName repository, Reference reference)
    {
        auto found = co_await of_.manifests_.load(std::move(repository), std::move(reference));
        if (!found && is_unknown(found.error())) co_return std::optional<ManifestPtr>{};
        if (!found) co_return std::unexpected{std::move(found).error()};
        co_return std::optional{*std::move(found)};
    }

    void put_manifest(const Event& event, const ManifestPtr& found)
    {
        if (!known_.insert(found->digest.text()).second) return;
        auto made = record(IndexRecord::Kind::manifest, event, event.repository);
        made.digest = found->digest.text();
        made.media_type = found->media_type;
        made.bytes = found->bytes;
        append_record(bytes_, made);
    }

    IndexChanges& of_;
    const std::vector<IndexRename>& renames_;
    std::string bytes_;
    std::set<std::string> known_;  // digests and tags that the event has a record of
};

std::optional<IndexRename> IndexChanges::rename_of(const Event& event)
{
    const bool of_project = event.type == event_type::project_renamed;
    if (!of_project && event.type != event_type::repository_renamed) return std::nullopt;
    const auto details = parse_object(event.details);
    if (!details) return std::nullopt;
    return IndexRename{
        .sequence = event.sequence,
        .of_project = of_project,
        .from = std::string{find_text(*details, "from")},
        .into = std::string{find_text(*details, "to")},
    };
}

bool IndexChanges::is_done_once(const Event& event)
{
    using namespace event_type;
    return rename_of(event) || event.type == repository_deleted || event.type == project_deleted;
}

Task<IndexChanges::Records> IndexChanges::of(const std::vector<Event>& events, const std::vector<IndexRename>& renames)
{
    Records records;
    Batch batch{*this, renames};
    for (const auto& event : events) {
        CO_CHECK(co_await batch.add(event));
        ++records.taken;
        if (batch.bytes().size() > longest_batch) break;
    }
    records.bytes = std::move(batch.bytes());
    co_return records;
}

}  // namespace entrepot
