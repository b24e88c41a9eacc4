#include "drivers/sql/artifact_text.hpp"

#include "core/json_text.hpp"

namespace entrepot {

std::int64_t tag_id(std::int64_t repository_id, std::string_view name) noexcept
{
    // FNV-1a over the name, mixed with the repository (the finaliser of splitmix64).
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    hash += static_cast<std::uint64_t>(repository_id) * 0x9e3779b97f4a7c15U;
    hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
    hash ^= hash >> 31U;
    return static_cast<std::int64_t>((hash >> 12U) | 1U);
}

void append_tag(std::string& text, std::int64_t repository_id, std::int64_t artifact_id, const TagText& tag)
{
    // A tag's grammar has nothing to escape.
    text += R"({"id":)" + std::to_string(tag_id(repository_id, tag.name)) + R"(,"repository_id":)" +
            std::to_string(repository_id) + R"(,"artifact_id":)" + std::to_string(artifact_id) + R"(,"name":")" +
            tag.name + R"(","push_time":")" + rfc3339(tag.pushed_at) + R"(","pull_time":")" + std::string{never} +
            R"(","immutable":false})";
}

std::string tags_text(std::int64_t repository_id, std::int64_t artifact_id, const std::vector<TagText>& tags)
{
    std::string text = "[";
    for (const auto& tag : tags) {
        if (text.size() > 1) text += ',';
        append_tag(text, repository_id, artifact_id, tag);
    }
    return text + "]";
}

std::string with_immutability(std::string_view tags_text, const std::function<bool(std::string_view)>& immutable)
{
    constexpr std::string_view before_name = R"("name":")";
    constexpr std::string_view no = R"("immutable":false)";
    std::string text;
    while (true) {
        const auto name = tags_text.find(before_name);
        const auto flag = tags_text.find(no, name);
        if (flag == std::string_view::npos) return text.append(tags_text);
        const auto start = name + before_name.size();
        const bool held = immutable(tags_text.substr(start, tags_text.find('"', start) - start));
        text.append(tags_text.substr(0, flag)).append(held ? R"("immutable":true)" : no);
        tags_text.remove_prefix(flag + no.size());
    }
}

std::string labels_text(std::span<const SqlRow> labels)
{
    std::string text = "[";
    for (const SqlRow& label : labels) {
        if (text.size() > 1) text += ',';
        text += R"({"id":)" + std::to_string(label.integer(0)) + R"(,"name":)";
        append_json_text(text, label.text(1));
        text += R"(,"description":)";
        append_json_text(text, label.text(2));
        text += R"(,"color":)";
        append_json_text(text, label.text(3));
        text += R"(,"scope":)";
        append_json_text(text, label.text(4));
        text += R"(,"project_id":)" + std::to_string(label.integer(5)) + R"(,"creation_time":")" +
                rfc3339(label.integer(6)) + R"(","update_time":")" + rfc3339(label.integer(7)) + R"("})";
    }
    return text + "]";
}

std::string child_mark(std::string_view digest, std::int64_t child_id)
{
    return R"({"child_digest":")" + std::string{digest} + R"(","child_id":)" + std::to_string(child_id) +
           R"(,"parent_id":)";
}

std::string children_text(
    std::int64_t parent_id, const std::vector<ArtifactView::Child>& children, const std::vector<std::int64_t>& child_ids
)
{
    std::string text = "[";
    for (std::size_t i = 0; i < children.size(); ++i) {
        if (i > 0) text += ',';
        text += child_mark(children[i].digest.text(), child_ids.at(i)) + std::to_string(parent_id);
        if (!children[i].text.empty()) text += "," + children[i].text;
        text += '}';
    }
    return text + "]";
}

}  // namespace entrepot
