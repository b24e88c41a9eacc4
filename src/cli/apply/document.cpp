#include "cli/apply/document.hpp"

#include "cli/ctl_text.hpp"
#include "core/yaml_documents.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

// Reads the nodes of one file and gathers what is wrong with them.
class Reader {
public:
    Reader(const std::string& file, std::span<const ApplyShape> shapes) : file_{file}, shapes_{shapes} {}

    void read(const YAML::Node& node)
    {
        if (node.IsNull()) return;
        if (!check_map(node, "a document")) return;
        const auto kind = node["kind"];
        if (!kind || !kind.IsScalar()) return complain(node, "kind is missing");
        const auto name = kind.Scalar();
        const auto shape =
            std::find_if(shapes_.begin(), shapes_.end(), [&name](const auto& each) { return each.kind == name; });
        if (shape == shapes_.end()) return complain(kind, fmt::format("there is no kind {}", name));
        ApplyDocument document{.kind = shape->kind, .metadata = {}, .spec = {}, .found = {}, .place = place_of(node)};
        for (const auto& part : node) {
            const auto part_name = part.first.Scalar();
            if (part_name == "metadata")
                read_fields(part.second, shape->metadata, "metadata", document.metadata);
            else if (part_name == "spec")
                read_fields(part.second, shape->spec, "spec", document.spec);
            else if (part_name != "kind")
                complain(part.first, fmt::format("there is no field {} beside kind, metadata and spec", part_name));
        }
        if (!node["metadata"]) complain(node, "metadata is missing");
        for (const auto& field : shape->spec) {
            if (field.required && !document.spec.contains(field.name) && !node["spec"])
                complain(node, fmt::format("spec.{} is missing", field.name));
        }
        documents_.push_back(std::move(document));
    }

    void complain(const YAML::Node& node, const std::string& what)
    {
        problems_ += fmt::format("{}{}: {}", problems_.empty() ? "" : "\n", place_of(node), what);
    }

    Result<std::vector<ApplyDocument>> finish()
    {
        if (!problems_.empty()) return fail(Errc::bad_request, problems_);
        return std::move(documents_);
    }

private:
    std::string place_of(const YAML::Node& node) const { return fmt::format("{}:{}", file_, node.Mark().line + 1); }

    bool check_map(const YAML::Node& node, std::string_view what)
    {
        if (!node.IsMap()) {
            complain(node, fmt::format("{} must have fields", what));
            return false;
        }
        std::set<std::string> names;
        for (const auto& each : node) {
            if (!each.first.IsScalar()) {
                complain(each.first, "a field's name must be a text");
                return false;
            }
            if (!names.insert(each.first.Scalar()).second)
                complain(each.first, fmt::format("{} is there twice", each.first.Scalar()));
        }
        return true;
    }

    void read_fields(
        const YAML::Node& node, const std::vector<ApplyField>& fields, std::string_view part, json::object& into
    )
    {
        if (!node.IsNull() && !check_map(node, part)) return;
        for (const auto& each : node) {
            const auto name = each.first.Scalar();
            const auto field =
                std::find_if(fields.begin(), fields.end(), [&name](const auto& known) { return known.name == name; });
            if (field == fields.end())
                complain(each.first, fmt::format("there is no field {}.{}", part, name));
            else if (!each.second.IsNull())
                read_value(each.second, *field, fmt::format("{}.{}", part, name), into);
        }
        for (const auto& field : fields) {
            if (field.required && !into.contains(field.name))
                complain(node, fmt::format("{}.{} is missing", part, field.name));
        }
    }

    void read_value(const YAML::Node& node, const ApplyField& field, const std::string& name, json::object& into)
    {
        if (field.type == ApplyType::set) return read_set(node, field, name, into);
        if (field.type == ApplyType::list) return read_list(node, field, name, into);
        if (field.type == ApplyType::map) return read_map(node, field, name, into);
        if (!node.IsScalar()) return complain(node, fmt::format("{} must be a single value", name));
        const auto& text = node.Scalar();
        const bool quoted = node.Tag() == "!";
        if (field.type == ApplyType::text) {
            into[field.name] = text;
        } else if (field.type == ApplyType::boolean) {
            if (quoted || (text != "true" && text != "false"))
                return complain(node, fmt::format("{} must be true or false", name));
            into[field.name] = text == "true";
        } else if (field.type == ApplyType::size) {
            const auto bytes = parse_ctl_size(text);
            if (!bytes) return complain(node, fmt::format("{} must be a size such as 10GiB", name));
            into[field.name] = *bytes;
        } else {
            std::int64_t number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (error != std::errc{} || end != text.data() + text.size())
                return complain(node, fmt::format("{} must be a number", name));
            into[field.name] = number;
        }
    }

    void read_set(const YAML::Node& node, const ApplyField& field, const std::string& name, json::object& into)
    {
        std::set<std::string> texts;
        if (!node.IsSequence()) return complain(node, fmt::format("{} must be a list", name));
        for (const auto& each : node) {
            if (!each.IsScalar())
                complain(each, fmt::format("{} must be a list of texts", name));
            else if (!texts.insert(each.Scalar()).second)
                complain(each, fmt::format("{} is in {} twice", each.Scalar(), name));
        }
        into[field.name] = json::array(texts.begin(), texts.end());
    }

    void read_list(const YAML::Node& node, const ApplyField& field, const std::string& name, json::object& into)
    {
        json::array texts;
        if (!node.IsSequence()) return complain(node, fmt::format("{} must be a list", name));
        for (const auto& each : node) {
            if (!each.IsScalar()) return complain(each, fmt::format("{} must be a list of texts", name));
            texts.emplace_back(each.Scalar());
        }
        into[field.name] = std::move(texts);
    }

    void read_map(const YAML::Node& node, const ApplyField& field, const std::string& name, json::object& into)
    {
        json::object texts;
        if (!check_map(node, name)) return;
        for (const auto& each : node) {
            if (!each.second.IsScalar())
                complain(each.second, fmt::format("{}.{} must be a single value", name, each.first.Scalar()));
            else
                texts[each.first.Scalar()] = each.second.Scalar();
        }
        into[field.name] = std::move(texts);
    }

    const std::string& file_;
    std::span<const ApplyShape> shapes_;
    std::vector<ApplyDocument> documents_;
    std::string problems_;
};

}  // namespace

std::string ApplyDocument::key() const
{
    std::string out;
    std::map<std::string, std::string> parts;
    for (const auto& [name, value] : metadata) parts[std::string{name}] = field_text(metadata, name);
    // What it belongs to, then what it is called; the parts of a grant in the order of its sentence.
    for (const std::string_view name :
         {"tenant", "project", "subject", "role", "object", "pattern", "user", "group", "name"}) {
        const auto part = parts.find(std::string{name});
        if (part == parts.end()) continue;
        const bool named = name == "user" || name == "group";
        out += fmt::format(
            "{}{}{}",
            out.empty()       ? ""
            : kind == "Grant" ? " "
                              : "/",
            named ? std::string{name} + ":" : "",
            part->second
        );
    }
    if (kind == "Quota") out = (parts.contains("tenant") ? "tenant " : "project ") + out;
    return out;
}

Result<std::vector<ApplyDocument>>
parse_documents(const std::string& text, const std::string& file, std::span<const ApplyShape> shapes)
{
    Reader reader{file, shapes};
    try {
        for (const auto& node : load_yaml_documents(text)) reader.read(node);
    } catch (const YAML::Exception& failure) {
        return fail(Errc::bad_request, fmt::format("{}:{}: {}", file, failure.mark.line + 1, failure.msg));
    }
    return reader.finish();
}

Result<> check_unique(std::span<const ApplyDocument> documents)
{
    std::map<std::pair<std::string_view, std::string>, std::string_view> seen;
    for (const auto& document : documents) {
        const auto [place, added] = seen.try_emplace({document.kind, document.key()}, document.place);
        if (!added) {
            return fail(
                Errc::bad_request,
                fmt::format("{}: {} {} is also in {}", document.place, document.kind, document.key(), place->second)
            );
        }
    }
    return {};
}

std::string document_text(const ApplyDocument& document)
{
    return yaml_text(json::object{{"kind", document.kind}, {"metadata", document.metadata}, {"spec", document.spec}});
}

}  // namespace entrepot
