#pragma once

#include "core/error.hpp"
#include "oci/digest.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// The files of an AI model as its manifest names them (CNCF model-spec, annotations.md: every layer is one file or
// directory, org.cncf.model.filepath says which). Pure.
class ModelFiles {
public:
    struct File {
        std::string path;
        Digest digest;
        std::uint64_t size = 0;
        bool archived = false;  // the layer is a tar around it
    };

    static Result<ModelFiles> read(std::string_view manifest);  // unprocessable
    // [{"name","type":"file"|"directory","size"?,"children"?}], nested as the paths are.
    std::string tree() const;
    // The file at the top whose name without ending is that, in any case: "README.md" for "readme"; null when none is.
    const File* find_document(std::string_view stem) const;
    const std::vector<File>& all() const noexcept { return files_; }

private:
    std::vector<File> files_;
};

}  // namespace entrepot
