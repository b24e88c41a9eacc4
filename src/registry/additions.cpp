#include "registry/additions.hpp"

#include "access/require.hpp"
#include "core/ascii.hpp"
#include "oci/json_fields.hpp"
#include "registry/archive_reader.hpp"
#include "registry/blob_bytes.hpp"
#include "registry/model_files.hpp"
#include "registry/repositories.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

const Permission read_addition = need(ObjectKind::project, "artifact-addition", "read");

constexpr int most_at_once = 16;
constexpr std::size_t largest_config = 4 << 20;
constexpr std::size_t largest_text = 1 << 20;

constexpr std::string_view plain_text = "text/plain; charset=utf-8";
constexpr std::string_view markdown = "text/markdown; charset=utf-8";
constexpr std::string_view json_list = "application/json; charset=utf-8";

// The list under `key` of a config, as JSON; an empty one where there is none.
Result<std::string> list_within(const std::string& config, std::string_view key)
{
    const auto object = parse_object(config);
    if (!object) return fail(Errc::unprocessable, "the artifact's config is not a JSON object");
    const auto* found = find_array(*object, key);
    return found != nullptr ? json::serialize(*found) : std::string{"[]"};
}

// "<chart>/values.yaml": a file of the chart itself, not of one that it depends on.
bool is_in_chart(std::string_view path, std::string_view wanted)
{
    if (path.starts_with("./")) path.remove_prefix(2);
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return false;
    return same_word(path.substr(slash + 1), wanted);
}

// Counts who reads, for as long as it lives.
class Turn {
public:
    explicit Turn(std::atomic<int>& reading) : reading_{reading} { before_ = reading_.fetch_add(1); }
    ~Turn() { reading_.fetch_sub(1); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    bool granted() const noexcept { return before_ < most_at_once; }

private:
    std::atomic<int>& reading_;
    int before_;
};

}  // namespace

std::vector<std::string_view> Additions::names_for(std::string_view artifact_type)
{
    if (artifact_type == "IMAGE") return {"build_history"};
    if (artifact_type == "CHART") return {"values.yaml", "readme.md", "dependencies"};
    if (artifact_type == "CNAI") return {"license", "readme.md", "files"};
    return {};
}

Task<ListedArtifact> Additions::require_artifact(Caller caller, RepositoryName name, Reference reference)
{
    CO_CHECK(require_in_repository(needs_.policy, caller, read_addition, name));
    const ArtifactParts nothing_else{.tags = false, .labels = false, .accessories = false};
    co_return co_await needs_.artifacts.find(std::move(name), std::move(reference), nothing_else);
}

Task<Addition> Additions::read(Caller caller, RepositoryName name, Reference reference, std::string addition)
{
    CO_TRY(const auto artifact, co_await require_artifact(caller, name, reference));
    const bool has_config = !artifact.config_media_type.empty();
    const auto names = names_for(artifact.type);
    if (!has_config || std::ranges::find(names, addition) == names.end()) {
        co_return fail(
            Errc::bad_request, "addition " + addition + " isn't supported for " + artifact.type + " artifacts"
        );
    }
    const Turn turn{reading_};
    if (!turn.granted()) co_return fail(Errc::too_many_requests, "too many documents are being read, try again");
    CO_TRY(auto digest, Digest::parse(artifact.digest));
    CO_TRY(auto stored, co_await needs_.manifests.load(name, Reference{std::move(digest)}));
    if (artifact.type == "CNAI") co_return co_await from_model(std::move(name), std::move(stored), std::move(addition));
    auto parsed =
        co_await offload(needs_.pool, [stored] { return Manifest::parse(stored->media_type, stored->bytes); });
    CO_TRY(auto manifest, std::move(parsed));
    const bool archived = addition == "values.yaml" || addition == "readme.md";
    if (archived) co_return co_await from_chart(std::move(name), std::move(manifest), std::move(addition));
    co_return co_await from_config(std::move(name), std::move(manifest), std::move(addition));
}

Task<BlobContent> Additions::blob(RepositoryName name, Digest digest)
{
    CO_CHECK(co_await needs_.links.load(std::move(name), digest));
    if (auto content = needs_.blobs.peek(digest)) co_return *std::move(content);
    co_return co_await needs_.blobs.load(std::move(digest));
}

Task<Addition> Additions::from_config(RepositoryName name, Manifest manifest, std::string addition)
{
    if (!manifest.config) co_return fail(Errc::not_found, "the artifact has no config");
    CO_TRY(const auto content, co_await blob(std::move(name), manifest.config->digest));
    const auto work = [content, key = addition == "build_history" ? "history" : "dependencies"]() -> Result<Addition> {
        TRY(const auto text, read_whole_blob(content, largest_config));
        TRY(auto list, list_within(text, key));
        return Addition{std::string{json_list}, std::move(list)};
    };
    co_return co_await offload(needs_.pool, work);
}

Task<Addition> Additions::from_chart(RepositoryName name, Manifest manifest, std::string addition)
{
    const auto is_chart = [](const Descriptor& layer) {
        return layer.media_type == "application/vnd.cncf.helm.chart.content.v1.tar+gzip" ||
               layer.media_type == "application/tar+gzip";
    };
    const auto layer = std::ranges::find_if(manifest.layers, is_chart);
    if (layer == manifest.layers.end()) co_return fail(Errc::not_found, "the chart has no content");
    CO_TRY(const auto content, co_await blob(std::move(name), layer->digest));
    const auto work = [content, addition, &clock = needs_.clock]() -> Result<Addition> {
        const auto wanted = [&](std::string_view path) { return is_in_chart(path, addition); };
        TRY(auto text, read_archived_file(content, wanted, clock));
        return Addition{std::string{addition == "readme.md" ? markdown : plain_text}, std::move(text)};
    };
    co_return co_await offload(needs_.pool, work);
}

Task<Addition> Additions::from_model(RepositoryName name, ManifestPtr stored, std::string addition)
{
    auto read = co_await offload(needs_.pool, [stored] { return ModelFiles::read(stored->bytes); });
    CO_TRY(const auto files, std::move(read));
    if (addition == "files") co_return Addition{std::string{json_list}, files.tree()};
    const auto* file = files.find_document(addition == "readme.md" ? "readme" : "license");
    if (file == nullptr) co_return fail(Errc::not_found, "the model has no such file");
    CO_TRY(const auto content, co_await blob(std::move(name), file->digest));
    const auto type = addition == "readme.md" ? markdown : plain_text;
    const auto work = [content, archived = file->archived, type, &clock = needs_.clock]() -> Result<Addition> {
        auto text = archived ? read_archived_file(
                                   content, [](std::string_view) { return true; }, clock
                               )
                             : read_whole_blob(content, largest_text);
        if (!text) return std::unexpected{std::move(text).error()};
        return Addition{std::string{type}, *std::move(text)};
    };
    co_return co_await offload(needs_.pool, work);
}

}  // namespace entrepot
