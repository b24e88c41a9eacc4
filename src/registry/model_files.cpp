#include "registry/model_files.hpp"

#include "core/ascii.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/serialize.hpp>

#include <map>
#include <memory>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr const char* path_key = "org.cncf.model.filepath";
constexpr const char* metadata_key = "org.cncf.model.file.metadata+json";
constexpr std::size_t most_files = 10'000;
constexpr std::size_t longest_path = 1024;
constexpr int deepest = 32;

std::uint64_t number_at(const json::object& object, std::string_view key)
{
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_number()) return 0;
    boost::system::error_code error;
    const auto number = value->to_number<std::uint64_t>(error);
    return error ? 0 : number;
}

// The size of the file within its layer, where the layer says it.
std::uint64_t size_of(const json::object& layer, const json::object& notes)
{
    const auto metadata = parse_object(find_text(notes, metadata_key));
    return number_at(metadata && metadata->contains("size") ? *metadata : layer, "size");
}

struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    const ModelFiles::File* file = nullptr;
};

json::array list_of(const Node& directory)
{
    json::array list;
    for (const auto& [name, node] : directory.children) {
        json::object entry{{"name", name}, {"type", node->children.empty() ? "file" : "directory"}};
        if (node->children.empty()) {
            entry["size"] = node->file != nullptr ? node->file->size : 0;
        } else {
            entry["children"] = list_of(*node);
        }
        list.push_back(std::move(entry));
    }
    return list;
}

std::string lower_stem(std::string_view name)
{
    return lowered(name.substr(0, name.find('.')));
}

}  // namespace

Result<ModelFiles> ModelFiles::read(std::string_view manifest)
{
    ModelFiles files;
    const auto document = parse_object(manifest);
    const auto* layers = document ? find_array(*document, "layers") : nullptr;
    if (layers == nullptr) return fail(Errc::unprocessable, "the model's manifest has no layers");
    for (const auto& value : *layers) {
        const auto* layer = value.if_object();
        const auto* notes = layer != nullptr ? find_object(*layer, "annotations") : nullptr;
        if (notes == nullptr) continue;
        const auto path = find_text(*notes, path_key);
        auto digest = Digest::parse(find_text(*layer, "digest"));
        if (path.empty() || path.size() > longest_path || !digest) continue;
        if (files.files_.size() >= most_files) break;
        files.files_.push_back({
            .path = std::string{path},
            .digest = *std::move(digest),
            .size = size_of(*layer, *notes),
            .archived = find_text(*layer, "mediaType").contains(".tar"),
        });
    }
    return files;
}

std::string ModelFiles::tree() const
{
    Node root;
    for (const auto& file : files_) {
        Node* at = &root;
        int depth = 0;
        for (std::string_view rest = file.path; !rest.empty();) {
            const auto slash = rest.find('/');
            // What lies too deep keeps the rest of its path as its name.
            const auto name = ++depth < deepest ? rest.substr(0, slash) : rest;
            rest = slash == std::string_view::npos || depth >= deepest ? std::string_view{} : rest.substr(slash + 1);
            if (name.empty() || name == ".") continue;
            auto& child = at->children[std::string{name}];
            if (!child) child = std::make_unique<Node>();
            at = child.get();
        }
        at->file = &file;
    }
    return json::serialize(list_of(root));
}

const ModelFiles::File* ModelFiles::find_document(std::string_view stem) const
{
    for (const auto& file : files_) {
        if (!file.path.contains('/') && lower_stem(file.path) == stem) return &file;
    }
    return nullptr;
}

}  // namespace entrepot
