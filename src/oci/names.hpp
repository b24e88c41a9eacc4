#pragma once

#include "core/error.hpp"
#include "oci/digest.hpp"

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace entrepot {

// A repository's whole name such as "project/team/app" (OCI distribution-spec, "Pulling manifests": path segments of
// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* joined by "/"), at most 255 bytes. Its first segment is the project.
class RepositoryName {
public:
    static constexpr std::size_t longest = 255;

    static Result<RepositoryName> parse(std::string_view text);  // name_invalid

    const std::string& text() const noexcept { return text_; }
    std::string_view project() const noexcept { return std::string_view{text_}.substr(0, text_.find('/')); }

    auto operator<=>(const RepositoryName&) const = default;

private:
    explicit RepositoryName(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

// One segment of that grammar: a project's name.
class ProjectName {
public:
    static Result<ProjectName> parse(std::string_view text);  // name_invalid
    static ProjectName of(const RepositoryName& repository) { return ProjectName{std::string{repository.project()}}; }

    const std::string& text() const noexcept { return text_; }
    auto operator<=>(const ProjectName&) const = default;

private:
    explicit ProjectName(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

// [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
class Tag {
public:
    static Result<Tag> parse(std::string_view text);  // tag_invalid

    const std::string& text() const noexcept { return text_; }
    auto operator<=>(const Tag&) const = default;

private:
    explicit Tag(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

// What a manifest is asked for by: a digest where the text holds ':', else a tag.
class Reference {
public:
    static Result<Reference> parse(std::string_view text);  // digest_invalid, tag_invalid
    explicit Reference(Digest digest) : value_{std::move(digest)} {}
    explicit Reference(Tag tag) : value_{std::move(tag)} {}

    const Digest* digest() const noexcept { return std::get_if<Digest>(&value_); }
    const Tag* tag() const noexcept { return std::get_if<Tag>(&value_); }
    const std::string& text() const noexcept { return digest() ? digest()->text() : tag()->text(); }

private:
    std::variant<Digest, Tag> value_;
};

}  // namespace entrepot

template <>
struct std::hash<entrepot::RepositoryName> {
    std::size_t operator()(const entrepot::RepositoryName& name) const noexcept
    {
        return std::hash<std::string>{}(name.text());
    }
};
