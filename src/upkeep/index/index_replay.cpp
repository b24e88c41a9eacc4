#include "upkeep/index/index_replay.hpp"

#include "core/bytes.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "oci/json_fields.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr std::int64_t kept_every = 500;  // records
constexpr auto between_lines = 10s;
constexpr std::int64_t some_blobs = 1'000;
constexpr std::int64_t some_names = 100;
constexpr std::int64_t all_holders = 100'000;

bool is_unknown(const Error& error)
{
    return error.code() == Errc::manifest_unknown || error.code() == Errc::name_unknown;
}

// The disk and the database may be better another time; what is about one record is not.
bool is_the_worlds(const Error& error)
{
    return error.code() == Errc::unavailable || error.code() == Errc::storage_full;
}

// What is gone already is what was wanted.
Result<> if_known(Result<> done)
{
    if (!done && is_unknown(done.error())) return {};
    return done;
}

}  // namespace

std::string ReplayPlace::text() const
{
    return json::serialize(json::object{
        {"from_segment", from.segment},
        {"from_sequence", from.sequence},
        {"segment", segment},
        {"records", records},
        {"troubles", troubles},
        {"snapshot", snapshot},
    });
}

std::optional<ReplayPlace> ReplayPlace::parse(std::string_view text)
{
    const auto object = parse_object(text);
    if (!object) return std::nullopt;
    const auto number = [&](const char* key) {
        const auto* value = object->if_contains(key);
        return value && value->is_int64() ? value->get_int64() : 0;
    };
    return ReplayPlace{
        .from = {.segment = number("from_segment"), .sequence = number("from_sequence")},
        .segment = number("segment"),
        .records = number("records"),
        .troubles = number("troubles"),
        .snapshot = std::string{find_text(*object, "snapshot")},
    };
}

Task<IndexReplay::Report> IndexReplay::run()
{
    report_.sequence = place_.from.sequence;
    CO_TRY(const auto segments, parts_.files.segments());
    for (const auto segment : segments) {
        if (segment < place_.from.segment) continue;
        CO_CHECK(co_await repeat(segment));
    }
    CO_CHECK(parts_.keep(place_));
    report_.not_repeated = static_cast<std::uint64_t>(place_.troubles);
    CO_CHECK(co_await check_blobs());
    co_return std::move(report_);
}

// Also those that an earlier run has done are read, for what they tell.
Task<> IndexReplay::repeat(std::int64_t segment)
{
    CO_TRY(const auto bytes, parts_.files.read(segment));
    IndexReader reader{bytes};
    std::int64_t number = 0;
    while (const auto record = reader.next()) {
        ++number;
        const bool is_done = segment < place_.segment || (segment == place_.segment && number <= place_.records);
        const bool is_first = segment == place_.from.segment || place_.from.segment == 0;
        if (record->kind == IndexRecord::Kind::segment) {
            // The first may stand where no snapshot is needed for.
            if (!record->flag && record->sequence >= 0 && !(is_first && record->sequence <= place_.from.sequence))
                ++report_.gaps;
            continue;
        }
        if (record->sequence <= place_.from.sequence && report_.gaps == 0) continue;
        report_.sequence = record->sequence;
        report_.at = record->at;
        if (record->kind == IndexRecord::Kind::position || is_done) continue;
        const bool is_due = record->is_structural() || number - place_.records >= kept_every;
        if (segment != place_.segment || is_due) {
            place_.segment = segment;
            place_.records = number - 1;
            CO_CHECK(parts_.keep(place_));
        }
        CO_CHECK(co_await repeat(*record));
        if (!record->is_structural()) continue;
        place_.records = number;
        CO_CHECK(parts_.keep(place_));
    }
    report_.damaged_bytes += reader.damaged();
    if (segment >= place_.segment) {
        place_.segment = segment;
        place_.records = number;
    }
    co_return Result<>{};
}

Task<> IndexReplay::repeat(const IndexRecord& record)
{
    ++report_.records;
    tell_now_and_then("the journal: " + std::to_string(report_.records) + " records");
    auto done = co_await apply(record);
    if (done || is_the_worlds(done.error())) co_return done;
    ++place_.troubles;
    if (report_.troubles.size() < most_troubles) {
        const auto what = record.name + (record.tag.empty() ? "" : ":" + record.tag) +
                          (record.digest.empty() ? "" : "@" + record.digest) +
                          (record.into.empty() ? "" : " into " + record.into);
        report_.troubles.push_back(what + ": " + done.error().message());
        parts_.progress("NOT repeated: " + report_.troubles.back());
    }
    co_return Result<>{};
}

Actor IndexReplay::actor(const IndexRecord& record) const
{
    return {.user_id = record.user_id, .at = record.at, .via = Via::restore};
}

Task<> IndexReplay::apply(const IndexRecord& record)
{
    using enum IndexRecord::Kind;
    switch (record.kind) {
        case segment:
        case position: break;
        case manifest: ++report_.manifests; co_return co_await put_manifest(record);
        case tag: ++report_.tags; co_return co_await put_tag(record);
        case manifest_gone:
        case tag_gone: {
            ++report_.removals;
            CO_TRY(auto repository, RepositoryName::parse(record.name));
            CO_TRY(auto reference, Reference::parse(record.kind == tag_gone ? record.tag : record.digest));
            co_return if_known(
                co_await parts_.manifests.remove(std::move(repository), std::move(reference), actor(record))
            );
        }
        case repository_gone: {
            ++report_.removals;
            CO_TRY(auto repository, RepositoryName::parse(record.name));
            const auto removed = co_await parts_.repositories.remove(std::move(repository), actor(record));
            co_return if_known(removed ? Result<>{} : std::unexpected{removed.error()});
        }
        case repository_renamed: ++report_.renames; co_return co_await rename_repository(record);
        case project: co_return co_await put_project(record);
        case project_renamed: ++report_.renames; co_return co_await rename_project(record);
        case project_gone: ++report_.removals; co_return co_await remove_project(record);
        case name_given_up: co_return co_await give_up_name(record);
    }
    co_return Result<>{};
}

Task<> IndexReplay::put_project(const IndexRecord& record)
{
    CO_TRY(const auto name, ProjectName::parse(record.name));
    const auto there = co_await parts_.projects.find(name);
    if (there && there->is_public == record.flag) co_return Result<>{};
    if (there) {
        const auto changed = co_await parts_.projects.change(there->id, {.is_public = record.flag}, actor(record));
        co_return changed ? Result<>{} : std::unexpected{changed.error()};
    }
    if (!is_unknown(there.error())) co_return std::unexpected{there.error()};
    const NewProject wanted{.name = name, .is_public = record.flag};
    const auto made = co_await parts_.projects.create(wanted, actor(record));
    if (made) co_return Result<>{};
    // The owner came after the snapshot.
    auto by_admin = actor(record);
    by_admin.user_id = 1;
    const auto made_so = co_await parts_.projects.create(wanted, by_admin);
    co_return made_so ? Result<>{} : std::unexpected{made_so.error()};
}

Task<> IndexReplay::rename_project(const IndexRecord& record)
{
    CO_TRY(const auto from, ProjectName::parse(record.name));
    CO_TRY(const auto into, ProjectName::parse(record.into));
    const auto there = co_await parts_.projects.find(from);
    if (!there && is_unknown(there.error())) co_return Result<>{};
    if (!there) co_return std::unexpected{there.error()};
    co_return co_await parts_.renames.rename_project(there->id, into, actor(record));
}

// What it held when the snapshot was taken may have no events of its own.
Task<> IndexReplay::remove_project(const IndexRecord& record)
{
    CO_TRY(const auto name, ProjectName::parse(record.name));
    const auto there = co_await parts_.projects.find(name);
    if (!there && is_unknown(there.error())) co_return Result<>{};
    if (!there) co_return std::unexpected{there.error()};
    ListQuery some;
    some.limit = some_names;
    for (;;) {
        CO_TRY(const auto page, co_await parts_.repositories.of_project(there->id, some));
        if (page.items.empty()) break;
        for (const auto& repository : page.items) {
            CO_TRY(auto full, RepositoryName::parse(repository.name));
            const auto removed = co_await parts_.repositories.remove(std::move(full), actor(record));
            if (!removed && !is_unknown(removed.error())) co_return std::unexpected{removed.error()};
        }
    }
    co_return co_await parts_.projects.remove(there->id, actor(record));
}

Task<> IndexReplay::put_manifest(const IndexRecord& record)
{
    CO_TRY(const auto repository, RepositoryName::parse(record.name));
    CO_TRY(const auto digest, Digest::parse(record.digest));
    if (digest_of(record.bytes, digest.algorithm()) != digest)
        co_return fail(Errc::corrupt, "the manifest has other bytes than its name says");
    CO_TRY(auto manifest, Manifest::parse(record.media_type, record.bytes));
    // Newer than the snapshot, and its own record was lost.
    const auto project = co_await parts_.projects.find(ProjectName::of(repository));
    if (!project && is_unknown(project.error())) CO_CHECK(co_await make_project(repository));
    CO_CHECK(co_await link_blobs(repository, manifest));
    CO_TRY(auto looks, view(manifest, record.bytes));
    co_return co_await parts_.manifests.commit({
        .repository = repository,
        .digest = digest,
        .bytes = record.bytes,
        .manifest = std::move(manifest),
        .tags = {},
        .actor = actor(record),
        .view = std::move(looks),
        .may_lack_blobs = true,
    });
}

// Those that the store has. For the others the manifest waits, and the report names them.
Task<> IndexReplay::link_blobs(const RepositoryName& repository, const Manifest& manifest)
{
    const Actor now{.user_id = 0, .at = parts_.clock.now(), .via = Via::restore};
    for (const auto& blob : manifest.required_blobs()) {
        CO_TRY(const auto there, parts_.blobs.find(blob.digest));
        if (there != blob.size) continue;
        CO_TRY(const auto look, co_await parts_.links.look(blob.digest));
        CO_TRY(
            const auto arrived,
            co_await parts_.links.arrive({
                .repository = repository,
                .digest = blob.digest,
                .size = blob.size,
                .sweeps = look.sweeps,
                .actor = now,
            })
        );
        if (arrived != BlobCatalog::Arrived::linked)
            co_return fail(Errc::conflict, "the blob " + blob.digest.text() + " was being removed");
    }
    co_return Result<>{};
}

Result<ArtifactView> IndexReplay::view(const Manifest& manifest, std::string_view bytes)
{
    if (!wants_config(manifest)) return view_of(manifest, bytes, std::nullopt);
    const auto reader = parts_.blobs.open(manifest.config->digest);
    if (!reader && reader.error().code() != Errc::blob_unknown) return std::unexpected{reader.error()};
    if (!reader || (*reader)->size() > ArtifactView::largest_config) return view_of(manifest, bytes, std::nullopt);
    std::string config((*reader)->size(), '\0');
    std::size_t filled = 0;
    while (filled < config.size()) {
        TRY(const auto count, (*reader)->read(std::as_writable_bytes(std::span{config}.subspan(filled))));
        if (count == 0) break;
        filled += count;
    }
    return view_of(manifest, bytes, config);
}

Task<> IndexReplay::put_tag(const IndexRecord& record)
{
    CO_TRY(const auto repository, RepositoryName::parse(record.name));
    CO_TRY(const auto digest, Digest::parse(record.digest));
    CO_TRY(auto tag, Tag::parse(record.tag));
    CO_TRY(const auto there, co_await parts_.manifests.load(repository, Reference{digest}));
    CO_TRY(auto manifest, Manifest::parse(there->media_type, there->bytes));
    CO_TRY(auto looks, view(manifest, there->bytes));
    const Micros expires = parts_.expire_tags && looks.lasts != 0 ? record.at + looks.lasts : 0;
    co_return co_await parts_.manifests.commit({
        .repository = repository,
        .digest = digest,
        .bytes = there->bytes,
        .manifest = std::move(manifest),
        .tags = {std::move(tag)},
        .actor = actor(record),
        .view = std::move(looks),
        .tags_expire_at = expires,
        .may_lack_blobs = true,
    });
}

Task<> IndexReplay::rename_repository(const IndexRecord& record)
{
    CO_TRY(const auto from, RepositoryName::parse(record.name));
    CO_TRY(const auto into, RepositoryName::parse(record.into));
    // A move between projects has a record in each; and one that was empty when the journal was written is not here.
    const auto there = co_await parts_.repositories.find(from);
    if (!there && is_unknown(there.error())) co_return Result<>{};
    co_return co_await parts_.renames.rename_repository(from, into, actor(record));
}

// Of a repository its path below the project is recorded, and the catalog shows it with the project.
Task<> IndexReplay::give_up_name(const IndexRecord& record)
{
    CO_TRY(const auto name, ProjectName::parse(record.name));
    const auto project = co_await parts_.projects.find(name);
    if (!project && is_unknown(project.error())) co_return Result<>{};
    if (!project) co_return std::unexpected{project.error()};
    ListQuery query;
    query.conditions.push_back(
        {.field = "name", .kind = ListCondition::Kind::any_of, .values = {record.into, record.name + '/' + record.into}}
    );
    CO_TRY(const auto kept, co_await parts_.renames.former_names(project->id, std::move(query)));
    for (const auto& former : kept.items)
        CO_CHECK(co_await parts_.renames.give_up(project->id, former.id, actor(record)));
    co_return Result<>{};
}

// Without a snapshot, or with one that is older than the project.
Task<> IndexReplay::make_project(const RepositoryName& repository)
{
    const Actor admin{.user_id = 1, .at = parts_.clock.now(), .via = Via::restore};
    const auto made = co_await parts_.projects.create({.name = ProjectName::of(repository)}, admin);
    co_return made ? Result<>{} : std::unexpected{made.error()};
}

Task<> IndexReplay::check_blobs()
{
    std::string after;
    for (;;) {
        CO_TRY(const auto some, co_await parts_.scrub.blobs(after, some_blobs));
        if (some.empty()) co_return Result<>{};
        for (const auto& blob : some) CO_CHECK(co_await check_blob(blob));
        after = some.back().digest.text();
        tell_now_and_then("the blobs: " + std::to_string(report_.blobs));
    }
}

Task<> IndexReplay::check_blob(const KnownBlob& blob)
{
    const bool is_held = blob.state == BlobState::live || blob.state == BlobState::lost;
    if (!is_held && blob.state != BlobState::absent) co_return Result<>{};
    CO_TRY(const auto there, parts_.blobs.find(blob.digest));
    if (there == blob.size && is_held) {
        ++report_.blobs;
        report_.bytes += blob.size;
    }
    const Actor now{.user_id = 0, .at = parts_.clock.now(), .via = Via::restore};
    if (there == blob.size && blob.state == BlobState::lost) {
        CO_TRY(const auto look, co_await parts_.links.look(blob.digest));
        CO_CHECK(co_await parts_.scrub.restore(blob.digest, look.sweeps, "found", now));
    }
    if (there == blob.size) co_return Result<>{};
    if (blob.state == BlobState::absent) {
        report_.missing.push_back(blob.digest.text());
        co_return Result<>{};
    }
    // Links that only a lease keeps are from before a removal that came after the snapshot.
    CO_TRY(const auto holders, co_await parts_.links.holders(blob.digest, all_holders));
    bool is_needed = false;
    for (const auto& holder : holders) {
        const auto unlinked = co_await parts_.links.remove(holder, blob.digest, now);
        if (unlinked || unlinked.error().code() == Errc::blob_unknown) continue;
        if (unlinked.error().code() != Errc::blob_in_use) co_return unlinked;
        is_needed = true;
    }
    if (!is_needed) co_return Result<>{};
    report_.missing.push_back(blob.digest.text());
    parts_.progress("MISSING: " + blob.digest.text());
    CO_CHECK(co_await parts_.scrub.lose(
        {.kind = FindingKind::missing, .subject = blob.digest.text(), .size = blob.size}, now
    ));
    co_return Result<>{};
}

void IndexReplay::tell_now_and_then(const std::string& doing)
{
    const auto now = parts_.clock.steady();
    if (now - told_ < between_lines) return;
    told_ = now;
    parts_.progress(doing);
}

}  // namespace entrepot
